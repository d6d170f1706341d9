import { assertEquals } from "@std/assert";
import { plainLetters } from "../admin/views/fixture/letters.ts";
import { serveDashboard } from "../admin/views/fixture/serve.ts";
import { seriousFindings } from "./axe.ts";
import { HAVE_CHROMIUM, openPage, startBrowser } from "./browser.ts";

Deno.test({
  name: "a relay without mail says what to do next (needs chromium)",
  ignore: !HAVE_CHROMIUM,
  async fn() {
    await using served = await serveDashboard({ letters: [], calm: true });
    await using browser = await startBrowser();
    await using watched = await openPage(browser, { url: served.url });
    const { page } = watched;
    await page.goto("/");
    await page.getByText("No problems.").waitFor();
    await page.goto("/queue");
    await page.getByText("No messages are waiting").waitFor();
    assertEquals(await seriousFindings(page), []);
    await page.getByRole("link", { name: "Send a test message" }).click();
    await page.getByRole("heading", { name: "Compose" }).waitFor();
    await page.goto("/log");
    await page.getByText("No events yet").waitFor();
  },
});

const MANY = 1_000;

Deno.test({
  name: `a queue of ${MANY} is paged through, each message once (needs chromium)`,
  ignore: !HAVE_CHROMIUM,
  async fn() {
    await using served = await serveDashboard({ letters: plainLetters(MANY) });
    await using browser = await startBrowser();
    await using watched = await openPage(browser, { url: served.url });
    const { page } = watched;
    await page.goto("/queue?view=all");
    await page.getByText("1,000 messages").first().waitFor();
    const seen = new Set<string>();
    for (let pages = 1;; pages++) {
      const rows = await page.locator("[data-row]").evaluateAll((all) => all.map((row) => row.id));
      assertEquals(rows.length, 50);
      for (const id of rows) seen.add(id);
      const older = page.getByRole("link", { name: "Older" });
      if (await older.count() === 0) {
        assertEquals(pages, MANY / 50);
        break;
      }
      await Promise.all([page.waitForEvent("load"), older.click()]);
    }
    assertEquals(seen.size, MANY);
    await page.getByRole("link", { name: "First page" }).click();
    await page.waitForURL(/\/queue\?view=all$/);
  },
});
