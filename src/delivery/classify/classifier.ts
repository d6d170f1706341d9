import type { DeliveryReport, Outcome } from "../transport.ts";
import { compileReplyRule, type ReplyFacts, type ReplyMatcher, type ReplyRule } from "./rules.ts";

/** Longer texts are looked at no further. */
const TEXT_LIMIT_CHARS = 512;
const DEFAULT_LATER_MS = 15 * 60_000;
const DEFAULT_PAUSE_MS = 60 * 60_000;
/** Nothing that a peer says makes mail wait longer. */
const LONGEST_MS = 24 * 60 * 60_000;

type Refusal = Extract<Outcome, { kind: "temporary" | "permanent" }>;

/**
 * Takes replies for what a table says they mean. Only what a peer said in so many words is looked
 * at: an outcome that was typed where it happened (nobody answers, a wrong key, a limit that an API
 * names) stays what it is.
 */
export class Classifier {
  readonly #rules: readonly { readonly rule: ReplyRule; readonly match: ReplyMatcher }[];

  /** The first rule that fits decides. */
  constructor(rules: readonly ReplyRule[]) {
    this.#rules = rules.map((rule) => ({ rule, match: compileReplyRule(rule) }));
  }

  /** The report with its outcomes as the table has them; the same one where no rule fits. */
  classify(report: DeliveryReport, domain: string): DeliveryReport {
    if (!report.outcomes.some(isSaid)) return report;
    const host = report.remote?.host.toLowerCase() ?? "";
    let isChanged = false;
    const outcomes = report.outcomes.map((outcome) => {
      if (!isSaid(outcome)) return outcome;
      const classified = this.#classifyOne(outcome, { host, domain });
      isChanged ||= classified !== outcome;
      return classified;
    });
    return isChanged ? { ...report, outcomes } : report;
  }

  #classifyOne(
    outcome: Refusal,
    { host, domain }: { host: string; domain: string },
  ): Outcome {
    const { code, enhanced, lines } = outcome.reply;
    const text = lines.join(" ").slice(0, TEXT_LIMIT_CHARS);
    const facts: ReplyFacts = { code, enhanced, text, host, domain };
    for (const { rule, match } of this.#rules) {
      const found = match(facts);
      if (found !== null) return meantBy(outcome, { rule, waitMs: waitIn(found) });
    }
    return outcome;
  }
}

function isSaid(outcome: Outcome): outcome is Refusal {
  return (outcome.kind === "temporary" || outcome.kind === "permanent") &&
    outcome.fromPeer === true;
}

/** What an outcome becomes by a rule that fits it. */
function meantBy(
  { reply }: Refusal,
  { rule: { name: rule, action, delayMs }, waitMs }: { rule: ReplyRule; waitMs: number | null },
): Outcome {
  const refusal = { kind: "temporary", reply, rule, fromPeer: true } as const;
  switch (action) {
    case "retry":
      return waitMs === null ? refusal : { ...refusal, retryAfterMs: waitMs };
    case "retry_later":
      return { ...refusal, retryAfterMs: waitMs ?? delayMs ?? DEFAULT_LATER_MS };
    case "slow_down":
      return { ...refusal, counts: false, slowsDown: true };
    case "pause":
      return { ...refusal, counts: false, pausesMs: waitMs ?? delayMs ?? DEFAULT_PAUSE_MS };
    case "give_up":
      return { kind: "permanent", reply, rule, fromPeer: true };
    case "suppress":
      return { kind: "permanent", reply, rule, fromPeer: true, suppresses: true };
  }
}

/** How long the text says to wait; null when it does not. */
function waitIn(found: RegExpExecArray | true): number | null {
  if (found === true || found.groups === undefined) return null;
  const { seconds, minutes, hours } = found.groups;
  const waitMs = 1_000 * Number(seconds ?? 0) + 60_000 * Number(minutes ?? 0) +
    3_600_000 * Number(hours ?? 0);
  return waitMs > 0 ? Math.min(waitMs, LONGEST_MS) : null;
}
