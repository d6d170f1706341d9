import { assert, assertEquals } from "@std/assert";
import type { CDPSession, Page } from "playwright-core";
import { serveDashboard, type ServedDashboard } from "../admin/views/fixture/serve.ts";
import { HAVE_CHROMIUM, openPage, startBrowser } from "./browser.ts";

/** Something that every page shows in its navigation. */
async function arrive({ relay }: ServedDashboard): Promise<void> {
  await relay.ports.submission?.submit({
    from: "",
    to: ["ana@meadow.example"],
    message: new TextEncoder().encode("Subject: One more\r\n\r\nText\r\n"),
    by: "test",
    clientAddress: "",
  });
  relay.emit({ type: "started", detail: "something happened" });
}

/** Waits until the page has asked for itself and shows what came. */
async function shown(page: Page, count: number): Promise<void> {
  await page.locator("#queue-panel .figure", { hasText: new RegExp(`^${count}$`) }).waitFor();
}

async function live(served: ServedDashboard): Promise<number> {
  return (await served.relay.store.stats()).liveMessages;
}

Deno.test({
  name: "the overview follows the relay and keeps what the viewer does (needs chromium)",
  ignore: !HAVE_CHROMIUM,
  async fn(t) {
    await using served = await serveDashboard();
    await using browser = await startBrowser();
    await using watched = await openPage(browser, { url: served.url });
    const { page, troubles } = watched;
    await page.clock.install();
    await page.goto("/");
    await page.getByRole("button", { name: "Live" }).waitFor();

    await t.step("a new message shows by itself, focus stays", async () => {
      const link = page.locator("#destinations-panel a", { hasText: "meadow.example" });
      await link.focus();
      await arrive(served);
      await shown(page, await live(served));
      assertEquals(await page.evaluate("document.activeElement.textContent"), "meadow.example");
    });

    await t.step("a pause stops it", async () => {
      await page.getByRole("button", { name: "Live" }).click();
      const before = await live(served);
      await arrive(served);
      await page.clock.fastForward(60_000);
      await shown(page, before);
      await page.getByRole("button", { name: "Paused" }).click();
      await shown(page, before + 1);
    });

    await t.step("a picked row stays picked when the queue moves", async () => {
      await page.goto("/queue");
      const box = page.getByRole("checkbox", { name: "Select Shift plan for week 48" });
      await box.check();
      await arrive(served);
      await page.getByText("One more").nth(2).waitFor();
      assert(await box.isChecked());
    });

    assertEquals(troubles, []);
  },
});

const UPDATES = 30;

Deno.test({
  name: `the overview takes ${UPDATES} updates without growing (needs chromium)`,
  ignore: !HAVE_CHROMIUM,
  async fn() {
    await using served = await serveDashboard();
    await using browser = await startBrowser();
    await using watched = await openPage(browser, { url: served.url });
    const { page, context } = watched;
    // Updates are what is counted here, not seconds.
    await page.clock.install();
    await page.goto("/");
    await page.getByRole("button", { name: "Live" }).waitFor();
    const session = await context.newCDPSession(page);
    await update(served, page, 5); // what a page needs once
    const before = await usage(session, () => true);
    await update(served, page, UPDATES);
    const after = await usage(session, (now) => grew(before, now).length === 0);
    assertEquals(grew(before, after), []);
  },
});

async function update(served: ServedDashboard, page: Page, times: number): Promise<void> {
  for (let time = 0; time < times; time++) {
    served.relay.count("accepted", 7);
    const renewed = page.waitForResponse((response) => response.url() === `${served.url}/`);
    await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))");
    await page.clock.runFor(1_001);
    await renewed;
  }
}

/** What a page holds. */
interface Usage {
  readonly nodes: number;
  readonly listeners: number;
  readonly heapBytes: number;
}

/** In what a page grew more than a page may that shows the same. */
function grew(before: Usage, after: Usage): readonly string[] {
  return [
    { name: "nodes", by: after.nodes - before.nodes, most: 200 },
    { name: "listeners", by: after.listeners - before.listeners, most: 0 },
    { name: "octets", by: after.heapBytes - before.heapBytes, most: 1_000_000 },
  ].flatMap(({ name, by, most }) => by > most ? [`${name} grew by ${by}`] : []);
}

const MOST_COLLECTIONS = 50;

/**
 * What the page holds after what it no longer needs was collected. The last answer may still be
 * read when its request has ended, and be held until then: so it is measured until it is as
 * expected, and given up after some collections.
 */
async function usage(session: CDPSession, isExpected: (now: Usage) => boolean): Promise<Usage> {
  await session.send("Performance.enable");
  for (let collections = 1;; collections++) {
    await session.send("HeapProfiler.collectGarbage");
    const { metrics } = await session.send("Performance.getMetrics");
    const value = (name: string): number => metrics.find((one) => one.name === name)?.value ?? 0;
    const now = {
      nodes: value("Nodes"),
      listeners: value("JSEventListeners"),
      heapBytes: value("JSHeapUsedSize"),
    };
    if (isExpected(now) || collections === MOST_COLLECTIONS) return now;
  }
}
