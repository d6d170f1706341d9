import { assertEquals } from "@std/assert";
import type { Page } from "playwright-core";
import type { QueueStore } from "../../src/queue/store.ts";
import { serveDashboard } from "../admin/views/fixture/serve.ts";
import { type AxeRules, seriousFindings } from "./axe.ts";
import { HAVE_CHROMIUM, type Look, LOOKS, openPage, startBrowser } from "./browser.ts";

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

/** The others have the same parts there. */
const TRIED_ON_A_PHONE: ReadonlySet<string> = new Set([
  ...["/", "/queue", "/queue/confirm?action=readdress&view=live", "/compose", "/log?level=debug"],
  ...["/destinations", "/transports", "/preflight?domain=example.net", "/access", "/login"],
]);

const MESSAGES = ["Invoice 2025", "Scan_2025", "What to plant", "Weekly report"];
const SHOWS = ["", "?show=html", "?show=headers", "?show=source"];

/** What axe tries in each look: the same page has the same words and roles in all of them. */
const RULES: Readonly<Record<string, AxeRules>> = {
  light: "all",
  dark: "colours",
  phone: "shapes",
};

Deno.test({
  name: "every page can be used by everybody (needs chromium)",
  ignore: !HAVE_CHROMIUM,
  async fn(t) {
    await using served = await serveDashboard();
    await using browser = await startBrowser();
    await using watched = await openPage(browser, { url: served.url });
    const { page, troubles } = watched;
    for (const address of [...PAGES, ...await messagePages(served.relay.store)]) {
      await t.step(address, async () => {
        troubles.length = 0;
        const response = await page.goto(address);
        const status = response?.status() ?? 0;
        for (const look of LOOKS) {
          await setLook(page, look);
          if (look.name !== "phone" || TRIED_ON_A_PHONE.has(address)) {
            const findings = await seriousFindings(page, RULES[look.name]);
            assertEquals(findings, [], look.name);
          }
          const wider = await overflow(page.evaluate.bind(page));
          assertEquals(wider, 0, `it scrolls sideways: ${look.name}`);
        }
        await setLook(page, LOOKS[0]);
        assertEquals(troubles.filter((text) => !isOfStatus(text, status)), []);
      });
    }
  },
});

/** Looks at the open page otherwise, as somebody does who turns the phone. */
async function setLook(page: Page, { colours, width, height }: Look): Promise<void> {
  await page.emulateMedia({ colorScheme: colours });
  await page.setViewportSize({ width, height });
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
