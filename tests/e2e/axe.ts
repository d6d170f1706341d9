import axe from "axe-core/axe.min.js";
import type { Page } from "playwright-core";

/** What axe found, as far as it hurts people. */
interface AxeViolation {
  readonly id: string;
  readonly impact: string | null;
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
}

/** Which rules are tried: all of them, that of colours alone, or all but that one. */
export type AxeRules = "all" | "colours" | "shapes";

const OPTIONS: Readonly<Record<AxeRules, object>> = {
  all: {},
  colours: { runOnly: ["color-contrast"] },
  shapes: { rules: { "color-contrast": { enabled: false } } },
};

/** What keeps people from using the page: findings of axe that are serious or critical. */
export async function seriousFindings(page: Page, rules: AxeRules = "all"): Promise<string[]> {
  if (!await page.evaluate("'axe' in window")) await page.evaluate(axe.source);
  const options = JSON.stringify({ resultTypes: ["violations"], ...OPTIONS[rules] });
  const violations = await page.evaluate(
    `axe.run(${options}).then(({ violations }) => violations)`,
  ) as readonly AxeViolation[];
  return violations.filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 160)}: ${failureSummary}`)
    );
}
