import { assertEquals } from "@std/assert";
import { startInProcessRelay } from "../../support/relay_in_process.ts";

Deno.test("what gives the right to use a webhook is not shown to whoever may look", async () => {
  await using relay = await startInProcessRelay({
    toml: `webhooks = [{ name = "crm", url = { env = "HOOK" } }]`,
    env: { HOOK: "https://user:secret@crm.test/in?token=secret" },
  });
  const response = await fetch(`${relay.origin}/api/v1/webhooks`);
  const { items: [webhook] } = await response.json();
  assertEquals(webhook.url, "https://crm.test/in?(not shown)");
});
