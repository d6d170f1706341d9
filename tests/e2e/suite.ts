import { assertEquals } from "@std/assert";
import type { BrowserContext, Page } from "playwright-core";
import type { RecipientState } from "../../src/admin/ports.ts";
import type { Fixture } from "../admin/views/fixture/relay.ts";
import { serveDashboard, type ServedDashboard } from "../admin/views/fixture/serve.ts";
import { HAVE_CHROMIUM, openContext, startBrowser, watchedPage } from "./browser.ts";

type Step = (page: Page, relay: Fixture) => Promise<void>;

/** What the browser says of forms that are sent with mistakes. */
const MISTAKES = /status of (?:400|422)/;

/**
 * Names a test and runs its steps, each with a relay and a page of its own. They share a browser
 * and what it has of scripts and styles, and nothing else.
 */
export function suite(
  name: string,
  steps: Readonly<Record<string, Step>>,
  { expected = MISTAKES }: { expected?: RegExp } = {},
): void {
  Deno.test({
    name: `${name} (needs chromium)`,
    ignore: !HAVE_CHROMIUM,
    async fn(t) {
      await using served = await serveDashboard();
      await using browser = await startBrowser();
      await using context = await openContext(browser, served);
      let isFresh = true;
      for (const [step, run] of Object.entries(steps)) {
        await t.step(step, async () => {
          if (!isFresh) await served.renew();
          isFresh = false;
          await runStep({ context, served, run, expected });
        });
      }
    },
  });
}

async function runStep(
  { context, served: { url, relay }, run, expected }: {
    context: BrowserContext;
    served: ServedDashboard;
    run: Step;
    expected: RegExp;
  },
): Promise<void> {
  const { page, troubles } = await watchedPage(context, url);
  try {
    await run(page, relay);
    assertEquals(troubles.filter((text) => !expected.test(text)), []);
    await page.evaluate("localStorage.clear()");
  } finally {
    await page.close();
    await context.clearCookies();
  }
}

/** The id of the message with this text in its subject. */
export async function idOf({ store }: Fixture, subject: string): Promise<string> {
  const { items } = await store.list({ filter: {}, limit: 1_000 });
  const found = items.find(({ message }) => message.summary.subject.includes(subject));
  return found?.message.id ?? "";
}

/** The states of a message's recipients. */
export async function statesOf({ store }: Fixture, id: string): Promise<RecipientState[]> {
  const detail = await store.get(id);
  return detail?.recipients.map(({ state }) => state) ?? [];
}

/** A button by what it says. */
export function button(page: Page, name: string | RegExp) {
  return page.getByRole("button", { name });
}
