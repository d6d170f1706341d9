import { assertEquals, assertMatch } from "@std/assert";
import type { Page } from "playwright-core";
import { serveDashboard } from "../admin/views/fixture/serve.ts";
import { HAVE_CHROMIUM, openPage, startBrowser } from "./browser.ts";

async function signIn(page: Page, name: string, password: string): Promise<void> {
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
}

Deno.test({
  name: "people sign in, see what their role allows, and sign out (needs chromium)",
  ignore: !HAVE_CHROMIUM,
  async fn(t) {
    await using served = await serveDashboard({ openOnLoopback: false });
    await using browser = await startBrowser();
    await using watched = await openPage(browser, { url: served.url });
    const { page } = watched;

    await t.step("a page asks to sign in and comes back afterwards", async () => {
      await page.goto("/queue?view=held");
      assertMatch(page.url(), /\/login\?next=%2Fqueue%3Fview%3Dheld$/);
      await signIn(page, "victor", "wrong");
      await page.getByText("Wrong name or password.").waitFor();
      await signIn(page, "victor", "secret");
      await page.waitForURL(/\/queue\?view=held$/);
    });

    await t.step("a viewer sees no buttons and cannot reach what they would do", async () => {
      assertEquals(await page.getByRole("button", { name: "Release…" }).count(), 0);
      assertEquals(await page.getByRole("link", { name: "Access" }).count(), 0);
      await page.goto("/access");
      await page.getByText("The role is not sufficient").waitFor();
      await page.goto("/config");
      await page.getByText("Viewers cannot see the configuration").waitFor();
      await page.goto("/compose");
      await page.getByText("The role is not sufficient").waitFor();
    });

    await t.step("after signing out the pages are closed again", async () => {
      await page.getByRole("button", { name: "Sign out" }).click();
      await page.waitForURL(/\/login$/);
      await page.goto("/");
      assertMatch(page.url(), /\/login$/);
    });

    await t.step("signing in leads to no other site", async () => {
      await page.goto("/login?next=https://evil.example/");
      await signIn(page, "olivia", "secret");
      await page.waitForURL(`${served.url}/`);
    });
  },
});

Deno.test({
  name: "another site cannot act for somebody who is signed in (needs chromium)",
  ignore: !HAVE_CHROMIUM,
  async fn() {
    await using served = await serveDashboard();
    await using browser = await startBrowser();
    await using watched = await openPage(browser, { url: served.url });
    const { page } = watched;
    const before = await served.relay.store.count({ states: ["cancelled"] });
    await page.route("http://evil.example/", (route) =>
      route.fulfill({
        contentType: "text/html",
        body: `<form method="post" action="${served.url}/queue/apply">
          <input name="action" value="cancel"><input name="view" value="all"></form>
          <script>document.forms[0].submit()</script>`,
      }));
    const answered = page.waitForResponse(/queue\/apply/);
    await page.goto("http://evil.example/").catch(() => null); // it goes on by itself
    assertEquals((await answered).status(), 403);
    assertEquals(await served.relay.store.count({ states: ["cancelled"] }), before);
  },
});
