/**
 * Takes pictures of the dashboard's main pages, with a made-up relay behind them, for people to
 * look at: `deno task screenshots [FOLDER]`. Two of them stand in the README.
 */
import type { Page } from "playwright-core";
import { serveDashboard, type ServedDashboard } from "../admin/views/fixture/serve.ts";
import { LOOKS, openPage, type RunningBrowser, startBrowser } from "../e2e/browser.ts";

const PAGES: readonly { readonly name: string; readonly address: string }[] = [
  { name: "overview", address: "/" },
  { name: "queue", address: "/queue" },
  { name: "reroute", address: "/queue/confirm?action=reroute&view=live&domain=harbour.example" },
  { name: "recipients", address: "/queue/confirm?action=readdress&view=live" },
  { name: "message", address: "/messages/ID" },
  { name: "send-again", address: "/messages/FAILED/send-again" },
  { name: "destinations", address: "/destinations" },
  { name: "transports", address: "/transports" },
  { name: "transport-test", address: "/transports/test?name=internet" },
  { name: "routes", address: "/routes?to=crew@harbour.example" },
  { name: "suppressions", address: "/suppressions" },
  { name: "webhooks", address: "/webhooks" },
  { name: "log", address: "/log?level=debug" },
  { name: "compose", address: "/compose" },
  { name: "preflight", address: "/preflight?domain=example.net" },
  { name: "config", address: "/config" },
  { name: "access", address: "/access" },
  { name: "login", address: "/login" },
];

if (import.meta.main) await main(Deno.args[0] ?? "screenshots");

async function main(folder: string): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  await using served = await serveDashboard();
  await using browser = await startBrowser();
  for (const look of LOOKS) {
    await using opened = await openPage(browser, { url: served.url, look });
    for (const { name, address } of PAGES) {
      await opened.page.goto(
        address.replace("FAILED", await failedId(served)).replace("ID", await invoiceId(served)),
      );
      await settled(opened.page);
      const path = `${folder}/${name}-${look.name}.png`;
      await opened.page.screenshot({ path, fullPage: true });
      // deno-lint-ignore no-console
      console.log(path);
    }
  }
  await forReadme({ served, browser, folder });
}

/** The two of the README: what a window shows, no more. */
async function forReadme(
  { served, browser, folder }: {
    served: ServedDashboard;
    browser: RunningBrowser;
    folder: string;
  },
): Promise<void> {
  const pictures = [
    { name: "readme-overview", address: "/", colours: "light" },
    {
      name: "readme-message",
      address: `/messages/${await invoiceId(served)}`,
      colours: "dark",
    },
  ] as const;
  for (const { name, address, colours } of pictures) {
    const look = { name, colours, width: 1280, height: 860 };
    await using opened = await openPage(browser, { url: served.url, look });
    await opened.page.goto(address);
    await settled(opened.page);
    await opened.page.screenshot({ path: `${folder}/${name}.png` });
  }
}

/** Charts are drawn and pages that follow the relay have said so. */
async function settled(page: Page): Promise<void> {
  await page.evaluate("document.fonts.ready");
  const mark = page.locator("[data-live-state]");
  if (await mark.count() > 0) await page.locator("[data-live-state][data-state=on]").waitFor();
}

async function failedId({ relay }: ServedDashboard): Promise<string> {
  const { items } = await relay.store.list({ filter: { states: ["failed"] }, limit: 1 });
  return items[0]?.message.id ?? "";
}

async function invoiceId({ relay }: ServedDashboard): Promise<string> {
  const { items } = await relay.store.list({ filter: {}, limit: 1_000 });
  return items.find(({ message }) => message.summary.subject.startsWith("Invoice"))?.message.id ??
    "";
}
