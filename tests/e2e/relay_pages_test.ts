import { assert, assertEquals, assertMatch } from "@std/assert";
import type { Page } from "playwright-core";
import { suite } from "./suite.ts";

const rows = (page: Page) => page.locator("tbody tr");

suite("suppressed addresses are found, added and removed", {
  "one is found by a part of it": async (page) => {
    await page.goto("/suppressions");
    assertEquals(await rows(page).count(), 2);
    await page.getByLabel("Part of the address").fill("ibarra");
    await page.getByRole("button", { name: "Find" }).click();
    await page.waitForURL(/text=ibarra/);
    assertEquals(await rows(page).count(), 1);
    await page.goto("/suppressions?text=nobody");
    await page.getByText("No address matches").waitFor();
  },
  "one is added, for a time": async (page, relay) => {
    await page.goto("/suppressions");
    await page.getByLabel("Address", { exact: true }).fill("gone@meadow.example");
    await page.getByLabel("Reason").fill("left the company");
    await page.getByLabel("Duration").selectOption({ label: "for 30 days" });
    await page.getByRole("button", { name: "Suppress", exact: true }).click();
    await page.getByText("now fails at once").waitFor();
    const { items = [] } = await relay.ports.suppressions?.list({ limit: 10 }) ?? {};
    const added = items.find(({ address }) => address === "gone@meadow.example");
    assertEquals(added?.reason, "left the company");
    assert((added?.expiresAtMs ?? 0) > Date.now() + 29 * 86_400_000);
  },
  "what is no address is not added": async (page) => {
    await page.goto("/suppressions");
    await page.getByLabel("Address", { exact: true }).fill("no address");
    await page.getByRole("button", { name: "Suppress", exact: true }).click();
    await page.locator(".field-error").waitFor();
    assertEquals(await rows(page).count(), 2);
  },
  "one is removed": async (page) => {
    await page.goto("/suppressions");
    await page.getByRole("button", { name: /Remove m\.ibarra/ }).click();
    await page.getByText("is sent again").waitFor();
    assertEquals(await rows(page).count(), 1);
  },
});

suite("webhooks show how they are and are replayed", {
  "what fails says why": async (page) => {
    await page.goto("/webhooks");
    const card = page.locator("section", { has: page.getByRole("heading", { name: "audit" }) });
    await card.getByText("Failing").waitFor();
    await card.getByText("the archive is being moved").waitFor();
  },
  "the log is narrowed to one": async (page) => {
    await page.goto("/webhooks");
    assertEquals(await rows(page).count(), 12);
    await rows(page).getByRole("link", { name: "audit" }).first().click();
    await page.waitForURL(/webhook=audit/);
    assertEquals(await rows(page).count(), 4);
  },
  "events of the last day are sent again": async (page, relay) => {
    await page.goto("/webhooks");
    await page.getByLabel("Events to send to audit again").selectOption({
      label: "Again: the last day",
    });
    await page.getByRole("button", { name: "Replay audit" }).click();
    await page.getByText("Events from then on").waitFor();
    assertEquals(relay.replays.map(({ name }) => name), ["audit"]);
    const agoMs = Date.now() - (relay.replays[0]?.fromMs ?? 0);
    assert(agoMs >= 86_400_000 && agoMs < 86_400_000 + 60_000);
  },
});

suite("what went wrong can be looked into", {
  "the dialogue of an attempt is there to be opened": async (page, relay) => {
    const { items } = await relay.store.list({ filter: {}, limit: 100 });
    const id = items.find(({ message }) => message.summary.subject.startsWith("Invoice"))
      ?.message.id;
    await page.goto(`/messages/${id}`);
    const dialogue = page.locator("details.dialogue").first();
    assertEquals(await dialogue.locator("pre").isVisible(), false);
    await dialogue.locator("summary").click();
    assertMatch(await dialogue.locator("pre").innerText(), /^C: EHLO relay\.example\.net$/m);
    await page.getByText("verified by its certificate").first().waitFor();
  },
  "a page that fails says so, and the log is told": async (page, relay) => {
    const told = relay.ports.events.lastId;
    Object.assign(relay.ports.suppressions ?? {}, {
      list: () => {
        throw new TypeError("the secret of the relay");
      },
    });
    await page.goto("/suppressions");
    await page.getByText("Cannot show this page").waitFor();
    assert(!(await page.content()).includes("the secret of the relay"));
    const [event] = relay.ports.events.recent({ limit: 1 });
    assert((event?.id ?? 0) > told && event?.event.type === "trouble");
  },
}, { expected: /status of 500/ });
