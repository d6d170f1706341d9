import { assertEquals } from "@std/assert";
import type { QueueStore } from "../../src/queue/store.ts";
import { serveDashboard } from "../admin/views/fixture/serve.ts";
import { seriousFindings } from "./axe.ts";
import { HAVE_CHROMIUM, LOOKS, openPage, startBrowser } from "./browser.ts";

/** Every page, with the states that look different. */
const PAGES = [
  "/",
  "/?range=24h",
  "/queue",
  "/queue?view=all",
  "/queue?view=failed",
  "/queue?domain=nowhere.example",
  "/queue?recipient=x%00y",
  "/queue/confirm?action=cancel&view=live",
  "/queue/confirm?action=reroute&view=live",
  "/queue/confirm?action=readdress&view=live",
  "/queue/confirm?action=readdress&view=live&remove=nobody%40dest.example&add=x",
  "/queue/confirm?action=send-again&view=failed",
  "/messages/00000000000000XX",
  "/compose",
  "/log?level=debug",
  "/log?text=nothing-like-this",
  "/destinations",
  "/destinations?view=paused",
  "/destinations/pause?name=harbour.example",
  "/transports",
  "/transports/test?name=internet",
  "/routes",
  "/routes?to=crew%40harbour.example",
  "/routes?to=nonsense",
  "/suppressions",
  "/config",
  "/preflight",
  "/preflight?domain=example.net",
  "/webhooks",
  "/access",
  "/login",
  "/no/such/page",
];

const MESSAGES = ["Invoice 2025", "Scan_2025", "What to plant", "Weekly report"];
const SHOWS = ["", "?show=html", "?show=headers", "?show=source"];

for (const look of LOOKS) {
  Deno.test({
    name: `every page can be used by everybody: ${look.name} (needs chromium)`,
    ignore: !HAVE_CHROMIUM,
    async fn(t) {
      await using served = await serveDashboard();
      await using browser = await startBrowser();
      await using watched = await openPage(browser, { url: served.url, look });
      const { page, troubles } = watched;
      const addresses = [...PAGES, ...await messagePages(served.relay.store)];
      for (const address of addresses) {
        await t.step(address, async () => {
          troubles.length = 0;
          const response = await page.goto(address);
          const status = response?.status() ?? 0;
          assertEquals(await seriousFindings(page), []);
          assertEquals(await overflow(page.evaluate.bind(page)), 0, "it scrolls sideways");
          assertEquals(troubles.filter((text) => !isOfStatus(text, status)), []);
        });
      }
    },
  });
}

/** A message of each kind, the first in all ways that it can be seen. */
async function messagePages(store: QueueStore): Promise<string[]> {
  const { items } = await store.list({ filter: {}, limit: 1_000 });
  const failed = items.find(({ states }) => states.failed !== undefined)?.message.id;
  return [
    `/messages/${failed}/send-again`,
    ...MESSAGES.flatMap((subject, index) => {
      const found = items.find(({ message }) => message.summary.subject.includes(subject));
      const shows = index === 0 ? SHOWS : [""];
      return shows.map((show) => `/messages/${found?.message.id}${show}`);
    }),
  ];
}

/** How much wider than the window the page is. */
async function overflow(evaluate: (code: string) => Promise<unknown>): Promise<unknown> {
  return await evaluate(
    "document.documentElement.scrollWidth - document.documentElement.clientWidth",
  );
}

/** Chromium reports pages with a status of 400 and above as errors. */
function isOfStatus(trouble: string, status: number): boolean {
  return status >= 400 && trouble.includes(`status of ${status}`);
}
