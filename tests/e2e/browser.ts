/** Debian's Chromium, driven by playwright-core. */
import "./playwright_quirk.ts";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { havePeer } from "../support/peers.ts";

/** Whether these tests can run here. */
export const HAVE_CHROMIUM = havePeer("chromium");

const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-gpu-compositing",
  "--disable-gpu-rasterization",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--hide-scrollbars",
  "--remote-debugging-port=0",
];

/** A running browser with an empty profile. */
export interface RunningBrowser extends AsyncDisposable {
  readonly browser: Browser;
}

/** Starts a browser and connects to it. */
export async function startBrowser(
  { env = {} }: { env?: Readonly<Record<string, string>> } = {},
): Promise<RunningBrowser> {
  const profile = await Deno.makeTempDir({ prefix: "posthouse-chromium-" });
  const child = new Deno.Command("chromium", {
    args: [...FLAGS, `--user-data-dir=${profile}`, "about:blank"],
    env,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const lines = child.stderr.pipeThrough(new TextDecoderStream());
  const { address, drained } = await readAddress(lines);
  const browser = await chromium.connectOverCDP(address);
  return {
    browser,
    async [Symbol.asyncDispose]() {
      await browser.close();
      child.kill("SIGTERM");
      await child.status;
      await drained;
      await removeProfile(profile);
    },
  };
}

/** Where the browser can be driven, from what it says on standard error; the rest is passed over. */
async function readAddress(
  text: ReadableStream<string>,
): Promise<{ address: string; drained: Promise<void> }> {
  const reader = text.getReader();
  let said = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) throw new Error(`Cannot start Chromium: ${said}`);
    said += value;
    const address = /listening on (ws:\S+)/.exec(said)?.[1];
    if (address === undefined) continue;
    const drain = async (): Promise<void> => {
      while (!(await reader.read()).done);
    };
    return { address, drained: drain() };
  }
}

/** Its children may still write into the profile when the browser has ended. */
async function removeProfile(profile: string): Promise<void> {
  for (let tries = 0;; tries++) {
    try {
      return await Deno.remove(profile, { recursive: true });
    } catch (error) {
      if (tries >= 20 || error instanceof Deno.errors.NotFound) return;
    }
  }
}

/** How a page is looked at. */
export interface Look {
  readonly name: string;
  readonly colours: "light" | "dark";
  readonly width: number;
  readonly height: number;
}

export const LOOKS: readonly [Look, ...Look[]] = [
  { name: "light", colours: "light", width: 1440, height: 900 },
  { name: "dark", colours: "dark", width: 1440, height: 900 },
  { name: "phone", colours: "light", width: 390, height: 844 },
];

/** A page with everything that went wrong on it. */
export interface WatchedPage extends AsyncDisposable {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Errors of scripts, refusals of the content security policy, requests that left the host. */
  readonly troubles: string[];
}

interface PageOptions {
  readonly url: string;
  readonly look?: Look;
  readonly scripts?: boolean;
}

/** Opens an empty page that is watched, in a world of its own. */
export async function openPage(
  browser: RunningBrowser,
  options: PageOptions,
): Promise<WatchedPage> {
  const context = await openContext(browser, options);
  const { page, troubles } = await watchedPage(context, options.url);
  return {
    page,
    context,
    troubles,
    async [Symbol.asyncDispose]() {
      await context.close();
    },
  };
}

/** Opens a world of pages: what it keeps, no other has. */
export async function openContext(
  { browser }: RunningBrowser,
  { url, look = LOOKS[0], scripts = true }: PageOptions,
): Promise<BrowserContext> {
  return await browser.newContext({
    baseURL: url,
    colorScheme: look.colours,
    viewport: { width: look.width, height: look.height },
    timezoneId: "Europe/Berlin",
    locale: "en-GB",
    javaScriptEnabled: scripts,
  });
}

/** Opens an empty page, and notes what goes wrong on it. */
export async function watchedPage(
  context: BrowserContext,
  url: string,
): Promise<{ page: Page; troubles: string[] }> {
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  const troubles: string[] = [];
  page.on("pageerror", (error) => troubles.push(`error: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") {
      troubles.push(`console: ${message.text()}`);
    }
  });
  page.on("dialog", (dialog) => {
    troubles.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("request", (request) => {
    const target = request.url();
    if (!target.startsWith(url) && !target.startsWith("data:")) troubles.push(`left: ${target}`);
  });
  return { page, troubles };
}
