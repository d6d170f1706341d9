import { assert, assertEquals, assertMatch } from "@std/assert";
import { button, idOf, statesOf, suite } from "./suite.ts";

suite("one message is acted on from its page", {
  "retry now makes it due": async (page, relay) => {
    const id = await idOf(relay, "Shift plan");
    await page.goto(`/messages/${id}`);
    await button(page, "Retry now").click();
    await page.getByText("Retrying").waitFor();
    const detail = await relay.store.get(id);
    assert((detail?.recipients[0]?.nextAttemptAtMs ?? Infinity) <= Date.now());
    const entry = detail?.timeline.findLast(({ kind }) => kind === "retried");
    assertEquals(entry?.detail["by"], "this machine");
  },
  "hold and release": async (page, relay) => {
    const id = await idOf(relay, "Shift plan");
    await page.goto(`/messages/${id}`);
    await button(page, "Hold").click();
    await page.getByRole("heading", { name: "Held for an operator" }).waitFor();
    assertEquals(await statesOf(relay, id), ["held"]);
    await button(page, "Release").click();
    await page.getByText("The message released.").waitFor();
    assertEquals(await statesOf(relay, id), ["queued"]);
  },
  "cancel asks first": async (page, relay) => {
    const id = await idOf(relay, "Scan_");
    await page.goto(`/messages/${id}`);
    await page.getByRole("link", { name: "Cancel…" }).click();
    await page.getByRole("heading", { name: "Cancel 1 message?" }).waitFor();
    assertEquals(await statesOf(relay, id), ["held", "held"]);
    await button(page, "Cancel: 1 message").click();
    await page.waitForURL(/\/messages\//);
    assertEquals(await statesOf(relay, id), ["cancelled", "cancelled"]);
    assertEquals(await button(page, "Retry now").count(), 0);
  },
  "bounce asks first, and says what it does": async (page, relay) => {
    const id = await idOf(relay, "Shift plan");
    await page.goto(`/messages/${id}`);
    await page.getByRole("link", { name: "Bounce…" }).click();
    await page.getByRole("heading", { name: "Bounce 1 message?" }).waitFor();
    await page.getByText("Their senders are notified").waitFor();
    assertEquals(await statesOf(relay, id), ["queued"]);
    await button(page, "Bounce: 1 message").click();
    await page.waitForURL(/\/messages\//);
    const detail = await relay.store.get(id);
    assert(detail?.timeline.some(({ detail: { by } }) => by === "this machine"));
  },
  "delete takes a message that is done out of the list": async (page, relay) => {
    const id = await idOf(relay, "What to plant");
    await page.goto(`/messages/${id}`);
    await page.getByRole("link", { name: "Delete…" }).click();
    await page.getByRole("heading", { name: "Delete 1 message?" }).waitFor();
    assert(await relay.store.get(id) !== null);
    await button(page, "Delete: 1 message").click();
    await page.waitForURL(/\/queue/);
    assertEquals(await relay.store.get(id), null);
  },
});

suite("many messages are acted on from the queue", {
  "what is picked, and nothing else": async (page, relay) => {
    await page.goto("/queue?domain=harbour.example");
    await page.getByRole("checkbox", { name: "Select Shift plan for week 48" }).check();
    await page.getByRole("checkbox", { name: /Select Crane 3/ }).check();
    await page.getByText("2 picked").waitFor();
    await button(page, "Hold…").click();
    await page.getByRole("heading", { name: "Hold 2 messages?" }).waitFor();
    await button(page, "Hold: 2 messages").click();
    await page.getByText("2 messages held.").waitFor();
    assertEquals(await relay.store.count({ states: ["held"] }), 3);
    assertMatch(page.url(), /domain=harbour\.example/);
  },
  "everything that fits the filters": async (page, relay) => {
    await page.goto("/queue?domain=harbour.example");
    await button(page, "Cancel…").click();
    await page.getByRole("heading", { name: "Cancel 5 messages?" }).waitFor();
    assertEquals(await relay.store.count({ states: ["cancelled"] }), 0);
    await button(page, "Cancel: 5 messages").click();
    await page.getByText("5 messages cancelled.").waitFor();
    assertEquals(await relay.store.count({ states: ["cancelled"] }), 5);
  },
  "the count leaves out what the action cannot change": async (page) => {
    await page.goto("/queue/confirm?action=release&view=live");
    await page.getByRole("heading", { name: "Release 1 message?" }).waitFor();
    await page.goto("/queue/confirm?action=release&view=delivered");
    await page.getByRole("heading", { name: "No matches" }).waitFor();
  },
  "the order stands in the address, and pages go on in it": async (page, relay) => {
    await page.goto("/queue?view=all");
    await page.getByLabel("Order", { exact: true }).selectOption({ label: "Largest first" });
    await page.waitForURL(/order=largest/);
    const { items } = await relay.store.list({ filter: {}, order: "largest", limit: 51 });
    const first = page.locator("[data-row-link]").first();
    assertEquals(await first.getAttribute("href"), `/messages/${items[0]?.message.id}`);
    await page.getByRole("link", { name: "Smaller" }).click();
    await page.waitForURL(/cursor=/);
    assertEquals(await first.getAttribute("href"), `/messages/${items[50]?.message.id}`);
    await page.getByLabel("Order", { exact: true }).selectOption({ label: "Next attempt first" });
    await page.waitForURL(/order=next/);
    assertEquals(await page.getByLabel("Order", { exact: true }).inputValue(), "next");
  },
  "filters stand in the address and can be taken out": async (page) => {
    await page.goto("/queue");
    await page.getByLabel("Domain").fill("bigmail.example");
    await button(page, "Filter").click();
    await page.getByText("3 messages").waitFor();
    assertMatch(page.url(), /domain=bigmail\.example/);
    await page.getByRole("link", { name: "Held", exact: true }).click();
    await page.getByText("No message matches these filters").waitFor();
    await page.getByRole("link", { name: /Domain: bigmail\.example/ }).click();
    await page.waitForURL(/\/queue\?view=held$/);
    await page.getByText("Scan_").first().waitFor();
  },
});

suite("ways out are paused, resumed and tried", {
  "a domain with reason and end": async (page, relay) => {
    await page.goto("/destinations");
    await page.getByRole("link", { name: "Pause a domain…" }).click();
    await page.getByLabel("Domain").fill("meadow.example");
    await page.getByLabel("Reason").fill("they asked for it");
    await page.getByLabel("Duration").selectOption({ label: "for four hours" });
    await button(page, "Pause").click();
    await page.getByText("Paused. Waiting mail").waitFor();
    const pause = relay.ports.destinations.paused().get("meadow.example");
    assertEquals(pause?.reason, "they asked for it");
    assertEquals(Math.round(((pause?.untilMs ?? 0) - Date.now()) / 3_600_000), 4);
    await button(page, "Resume").click();
    await page.getByText("Resumed.").waitFor();
    assertEquals(relay.ports.destinations.paused().size, 0);
  },
  "a form with a mistake says so and keeps what was written": async (page) => {
    await page.goto("/destinations/pause");
    await page.evaluate(
      "for (const input of document.querySelectorAll('input')) input.required = false",
    );
    await page.getByLabel("Domain").fill("meadow.example");
    await button(page, "Pause").click();
    await page.getByText("is needed").waitFor();
    assertEquals(await page.getByLabel("Domain").inputValue(), "meadow.example");
  },
  "mail for a domain now": async (page) => {
    await page.goto("/destinations?text=harbour");
    await button(page, "Retry now").click();
    await page.getByText("5 messages due now.").waitFor();
  },
  "a transport is tested, and what becomes of it is shown": async (page, relay) => {
    await page.goto("/transports");
    await page.locator("#smarthost").getByRole("link", { name: "Test…" }).click();
    await page.getByLabel("To", { exact: true }).fill("nobody");
    await button(page, "Send a test message").click();
    await page.getByText("expected a mail address").waitFor();
    await page.getByLabel("To", { exact: true }).fill("me@meadow.example");
    await button(page, "Send a test message").click();
    await page.getByRole("heading", { name: "Test of smarthost" }).waitFor();
    await page.getByText("always by smarthost instead of the route").waitFor();
    const detail = await relay.store.get(page.url().slice(-16));
    assertEquals(detail?.recipients[0]?.transport, "smarthost");
  },
  "a transport": async (page, relay) => {
    await page.goto("/transports");
    await page.locator("#mailgun").getByRole("link", { name: "Pause…" }).click();
    await page.getByLabel("Reason").fill("new key");
    await button(page, "Pause").click();
    await page.getByText("Paused by this machine").waitFor();
    assertEquals(relay.ports.transports.list()[2]?.state, "paused");
    await page.locator("#mailgun").getByRole("button", { name: "Resume" }).click();
    await page.getByText("Resumed.").waitFor();
    await page.locator("#internet").getByRole("button", { name: "Clear failures" }).click();
    await page.getByText("Cleared the failures").waitFor();
  },
});

suite("the relay is asked and told", {
  "a letter is written and shown": async (page, relay) => {
    await page.goto("/compose");
    await page.getByLabel("To", { exact: true }).fill("ana@meadow.example, b@meadow.example");
    await page.getByLabel("Subject").fill("Grüße & <b>more</b>");
    await button(page, "Send").click();
    await page.waitForURL(/\/messages\//);
    await page.getByRole("heading", { name: "Grüße & <b>more</b>" }).waitFor();
    await page.getByText("This is a test message.").waitFor();
    assertEquals(await statesOf(relay, page.url().slice(-16)), ["queued", "queued"]);
  },
  "a letter with a mistake stays": async (page) => {
    await page.goto("/compose");
    await page.getByLabel("To", { exact: true }).fill("nobody");
    await page.getByLabel("Text").fill("Line one\n\nLine two");
    await button(page, "Send").click();
    await page.getByText("expected a mail address").waitFor();
    assertEquals(await page.getByLabel("Text").inputValue(), "Line one\n\nLine two");
  },
  "a refusal is told": async (page) => {
    await page.goto("/compose?to=refused@office.example");
    await button(page, "Send").click();
    await page.getByText("The relay refused it: No route matches").waitFor();
  },
  "a route is explained": async (page) => {
    await page.goto("/routes");
    await page.getByLabel("To").fill("crew@harbour.example");
    await button(page, "Explain").click();
    await page.getByText("it has no conditions").waitFor();
    await page.getByText("The destination is down").waitFor();
  },
  "the config is read again": async (page) => {
    await page.goto("/config");
    await button(page, "Reload the file").click();
    await page.getByText("Reloaded the config").waitFor();
  },
  "a domain is looked at before take-off": async (page) => {
    await page.goto("/preflight");
    await page.getByLabel("Domain").fill("example.net");
    await button(page, "Check").click();
    await page.getByText("v=DMARC1; p=none; rua=mailto:dmarc@example.net").waitFor();
  },
  "people and keys": async (page, relay) => {
    await page.goto("/access");
    await page.getByLabel("Name", { exact: true }).fill("otto");
    await page.locator("#put-user").getByLabel("Role").selectOption("operator");
    await page.getByLabel("Password").fill("short");
    await button(page, "Save").click();
    await page.getByText("expected at least 10 characters").waitFor();
    assertEquals(await page.getByLabel("Password").inputValue(), "");
    await page.getByLabel("Password").fill("long enough to hold");
    await button(page, "Save").click();
    await page.getByText("Added the user.").waitFor();
    assertEquals((await relay.ports.users.get("otto"))?.role, "operator");
    await button(page, "Remove otto").click();
    await page.getByText("Removed the user").waitFor();
    await page.getByLabel("Purpose").fill("backup");
    await button(page, "Create a key").click();
    await page.getByText("posthouse_k2_shown-once").waitFor();
    await page.goto("/access");
    assertEquals(await page.getByText("posthouse_k2").count(), 0);
    await button(page, "Revoke backup").click();
    await page.getByText("Revoked the key.").waitFor();
    assertEquals((await relay.ports.keys.list()).length, 1);
  },
});
