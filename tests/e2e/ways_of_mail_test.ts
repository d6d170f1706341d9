import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { button, idOf, statesOf, suite } from "./suite.ts";

suite("where mail goes is changed", {
  "one message is rerouted, and goes back to its routes": async (page, relay) => {
    const id = await idOf(relay, "Shift plan");
    await page.goto(`/messages/${id}`);
    await page.getByRole("link", { name: "Reroute…" }).click();
    await page.getByRole("heading", { name: "Reroute 1 message?" }).waitFor();
    await page.getByLabel("Transport").selectOption("mailgun");
    await button(page, "Reroute: 1 message").click();
    await page.getByText("The message rerouted.").waitFor();
    await page.getByText("to mailgun by this machine").waitFor();
    await page.getByText("always by mailgun instead of the route").waitFor();
    const rerouted = (await relay.store.get(id))?.recipients[0];
    assertEquals([rerouted?.transport, rerouted?.rerouted], ["mailgun", true]);
    await page.getByRole("link", { name: "Reroute…" }).click();
    await page.getByLabel("Transport").selectOption({ label: "use the routes again" });
    await button(page, "Reroute: 1 message").click();
    await page.getByText("back to the routes by this machine").waitFor();
    assertEquals((await relay.store.get(id))?.recipients[0]?.rerouted, undefined);
  },
  "all that a transport tried is rerouted": async (page, relay) => {
    await page.goto("/queue?transport=internet&domain=harbour.example");
    await button(page, "Reroute…").click();
    await page.getByText("transport internet").waitFor();
    await page.getByLabel("Transport").selectOption("mailgun");
    const total = await relay.store.count({
      ...{ transport: "internet", domain: "harbour.example" },
      states: ["queued", "held"],
    });
    await button(page, /^Reroute: /).click();
    await page.getByText(/rerouted\./).waitFor();
    assertEquals(await relay.store.count({ transport: "mailgun", states: ["queued"] }), total);
  },
  "a recipient is replaced once it was counted": async (page, relay) => {
    const id = await idOf(relay, "Shift plan");
    const [first] = (await relay.store.get(id))?.recipients ?? [];
    await page.goto(`/messages/${id}`);
    await page.getByRole("link", { name: "Recipients…" }).click();
    assertEquals(await button(page, /^Recipients: /).count(), 0, "nothing was said yet");
    await page.getByLabel("Add").fill("nobody");
    await button(page, "Preview").click();
    await page.getByText("Name mail addresses").waitFor();
    await page.getByLabel("Remove").fill(first?.forwardPath ?? "");
    await page.getByLabel("Add").fill("crew@meadow.example");
    await button(page, "Preview").click();
    await button(page, "Recipients: 1 message").click();
    await page.waitForURL(new RegExp(`/messages/${id}`));
    assertEquals((await statesOf(relay, id)).slice(0, 1), ["cancelled"]);
    assertEquals(
      (await relay.store.get(id))?.recipients.at(-1)?.forwardPath,
      "crew@meadow.example",
    );
    await page.getByText("Recipients changed").waitFor();
  },
});

suite("mail that failed is sent again", {
  "edited, to somebody else, by a chosen transport": async (page, relay) => {
    const { items } = await relay.store.list({ filter: { states: ["failed"] }, limit: 1 });
    const id = items[0]?.message.id ?? "";
    await page.goto(`/messages/${id}`);
    await page.getByRole("link", { name: "Send again…" }).click();
    await page.getByLabel("To", { exact: true }).fill("nobody");
    await button(page, "Send again").click();
    await page.getByText("expected a mail address").waitFor();
    await page.getByLabel("To", { exact: true }).fill("crew@meadow.example");
    await page.getByLabel("Transport").selectOption("mailgun");
    const message = await page.getByLabel("Message").inputValue();
    await page.getByLabel("Message").fill(message.replace(/^Subject: .*$/m, "Subject: Once more"));
    await button(page, "Send again").click();
    await page.getByRole("heading", { name: "Once more" }).waitFor();
    const again = await relay.store.get(page.url().slice(-16));
    assertEquals(again?.recipients.map(({ forwardPath, transport }) => [forwardPath, transport]), [
      ["crew@meadow.example", "mailgun"],
    ]);
    await page.getByRole("link", { name: id }).click();
    await page.getByText("Sent again").waitFor();
    assertMatch(page.url(), new RegExp(`${id}$`));
  },
  "as it is": async (page, relay) => {
    const { items } = await relay.store.list({ filter: { states: ["failed"] }, limit: 1 });
    const id = items[0]?.message.id ?? "";
    await page.goto(`/messages/${id}/send-again`);
    await button(page, "Send again").click();
    await page.waitForURL((url) => !url.href.includes(id));
    const [before, after] = await Promise.all(
      [id, page.url().slice(-16)].map(async (one) => {
        const chunks = await Array.fromAsync(await relay.store.body(one) ?? []);
        return chunks.map((chunk) => new TextDecoder().decode(chunk)).join("");
      }),
    );
    assertEquals(after, before);
    assertStringIncludes(after ?? "", "Subject: ");
  },
});
