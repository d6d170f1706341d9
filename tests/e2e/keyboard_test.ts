import { assert, assertEquals } from "@std/assert";
import type { Page } from "playwright-core";
import { serveDashboard } from "../admin/views/fixture/serve.ts";
import { HAVE_CHROMIUM, LOOKS, openPage, startBrowser } from "./browser.ts";

async function focusedText(page: Page): Promise<unknown> {
  return await page.evaluate("document.activeElement.textContent.trim()");
}

Deno.test({
  name: "the dashboard is driven by the keyboard (needs chromium)",
  ignore: !HAVE_CHROMIUM,
  async fn(t) {
    await using served = await serveDashboard();
    await using browser = await startBrowser();
    await using watched = await openPage(browser, { url: served.url });
    const { page, troubles } = watched;

    await t.step("g and a letter go to a page", async () => {
      await page.goto("/");
      await page.keyboard.press("g");
      await page.keyboard.press("q");
      await page.waitForURL(/\/queue$/);
    });

    await t.step("j and k move through rows, x picks, Enter opens", async () => {
      await page.keyboard.press("j");
      assertEquals(await focusedText(page), "Your order 2025-118204 is on its way");
      await page.keyboard.press("j");
      await page.keyboard.press("j");
      await page.keyboard.press("k");
      assertEquals(await focusedText(page), "Invoice 2025-11-3391 for your order of 21 November");
      await page.keyboard.press("x");
      await page.getByText("1 picked").waitFor();
      await page.keyboard.press("j");
      await page.keyboard.press("k");
      await page.keyboard.press("Enter");
      await page.getByRole("heading", { name: "Invoice 2025-11-3391" }).waitFor();
    });

    await t.step("r retries the message", async () => {
      await page.keyboard.press("r");
      await page.getByText("Retrying").waitFor();
    });

    await t.step("/ searches, and letters typed there are text", async () => {
      await page.goto("/queue");
      await page.keyboard.press("/");
      await page.keyboard.type("gqjx?");
      assertEquals(await page.locator("[data-search]").inputValue(), "gqjx?");
    });

    await t.step("? shows the keys, Escape hides them", async () => {
      await page.goto("/log");
      await page.keyboard.press("?");
      const help = page.getByRole("dialog", { name: "Keyboard shortcuts" });
      await help.waitFor();
      await page.keyboard.press("Escape");
      await help.waitFor({ state: "hidden" });
    });

    await t.step("the first stop skips the navigation", async () => {
      await page.goto("/queue");
      await page.keyboard.press("Tab");
      assertEquals(await focusedText(page), "Skip to the content");
      await page.keyboard.press("Enter");
      assertEquals(await page.evaluate("document.activeElement.id"), "content");
    });

    assertEquals(troubles, []);
  },
});

Deno.test({
  name: "colours are chosen, kept and arrive with the page (needs chromium)",
  ignore: !HAVE_CHROMIUM,
  async fn() {
    await using served = await serveDashboard();
    await using browser = await startBrowser();
    await using watched = await openPage(browser, { url: served.url });
    const { page } = watched;
    await page.goto("/");
    const button = page.getByRole("button", { name: /colours/i });
    await button.click();
    await button.click();
    assertEquals(await page.evaluate("document.documentElement.dataset.theme"), "dark");
    const response = await page.goto("/queue");
    assert((await response?.text())?.includes(`data-theme="dark"`));
  },
});

Deno.test({
  name: "on a phone the navigation opens and closes (needs chromium)",
  ignore: !HAVE_CHROMIUM,
  async fn() {
    await using served = await serveDashboard();
    await using browser = await startBrowser();
    const look = LOOKS.find(({ name }) => name === "phone") ?? LOOKS[0];
    await using watched = await openPage(browser, { url: served.url, ...look && { look } });
    const { page } = watched;
    await page.goto("/");
    const link = page.getByRole("link", { name: /^Destinations/ });
    assertEquals(await link.isVisible(), false);
    await page.getByRole("button", { name: "Menu" }).click();
    await link.click();
    await page.getByRole("heading", { name: "Destinations" }).waitFor();
  },
});

Deno.test({
  name: "times stand in the viewer's zone, exactly when pointed at (needs chromium)",
  ignore: !HAVE_CHROMIUM,
  async fn() {
    await using served = await serveDashboard();
    await using browser = await startBrowser();
    await using watched = await openPage(browser, { url: served.url });
    const { page } = watched;
    await page.goto("/log");
    const time = page.locator("#log time").first();
    const iso = await time.getAttribute("datetime") ?? "";
    const berlin = new Intl.DateTimeFormat("en-GB", {
      timeZone: "Europe/Berlin",
      timeStyle: "medium",
    }).format(new Date(iso));
    assertEquals(await time.textContent(), berlin);
    assert((await time.getAttribute("title"))?.includes(berlin));
  },
});

Deno.test({
  name: "without scripts the pages still work (needs chromium)",
  ignore: !HAVE_CHROMIUM,
  async fn() {
    await using served = await serveDashboard();
    await using browser = await startBrowser();
    await using watched = await openPage(browser, { url: served.url, scripts: false });
    const { page } = watched;
    await page.goto("/queue?domain=harbour.example");
    await page.getByRole("button", { name: "Hold…" }).click();
    await page.getByRole("button", { name: "Hold: 5 messages" }).click();
    await page.getByText("5 messages held.").waitFor();
    assertEquals(await served.relay.store.count({ states: ["held"] }), 6);
  },
});
