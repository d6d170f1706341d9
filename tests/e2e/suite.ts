import { assertEquals } from "@std/assert";
import type { Page } from "playwright-core";
import type { RecipientState } from "../../src/admin/ports.ts";
import type { Fixture } from "../admin/views/fixture/relay.ts";
import { serveDashboard, type ServedDashboard } from "../admin/views/fixture/serve.ts";
import { HAVE_CHROMIUM, openPage, type RunningBrowser, startBrowser } from "./browser.ts";

/** Names a test and runs its steps, each with a relay and a page of its own. */
export function suite(
  name: string,
  steps: Readonly<Record<string, (page: Page, relay: Fixture) => Promise<void>>>,
): void {
  Deno.test({
    name: `${name} (needs chromium)`,
    ignore: !HAVE_CHROMIUM,
    async fn(t) {
      await using browser = await startBrowser();
      for (const [step, run] of Object.entries(steps)) {
        await t.step(step, async () => {
          await using served = await serveDashboard();
          await runStep({ browser, served, run });
        });
      }
    },
  });
}

async function runStep(
  { browser, served, run }: {
    browser: RunningBrowser;
    served: ServedDashboard;
    run: (page: Page, relay: Fixture) => Promise<void>;
  },
): Promise<void> {
  await using watched = await openPage(browser, { url: served.url });
  await run(watched.page, served.relay);
  const expected = /status of (?:400|422)/; // forms that are sent with mistakes
  assertEquals(watched.troubles.filter((text) => !expected.test(text)), []);
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
