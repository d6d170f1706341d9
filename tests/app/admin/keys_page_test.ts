import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { startInProcessRelay } from "../../support/relay_in_process.ts";

Deno.test("the dashboard makes keys that may send as some mailboxes, and says so", async () => {
  await using running = await startInProcessRelay({ toml: "" });
  const { origin } = running;
  const make = (fields: Record<string, string>) =>
    fetch(`${origin}/access/keys`, {
      method: "POST",
      headers: { origin },
      body: new URLSearchParams(fields),
    });
  const senders = "*@shop.test, ada@x.test";
  const made = await make({ name: "shop", keyRole: "sender", senders });
  assertEquals(made.status, 200);
  assert(/posthouse_[\w-]{20,}/.test(await made.text()));
  await (await make({ name: "all", keyRole: "operator", senders: "" })).body?.cancel();
  const { items } = await (await fetch(`${origin}/api/v1/keys`)).json();
  assertEquals(
    items.map(({ name, role, send, senders }: Record<string, unknown>) => [
      ...[name, role, send, senders],
    ]),
    [
      ["command line", "admin", true, null],
      ["shop", "sender", true, ["*@shop.test", "ada@x.test"]],
      ["all", "operator", true, null],
    ],
  );
  const page = await (await fetch(`${origin}/access`)).text();
  assertStringIncludes(page, "sends as *@shop.test ada@x.test");
});
