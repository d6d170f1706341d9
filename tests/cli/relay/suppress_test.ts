import { assertEquals, assertMatch } from "@std/assert";
import { startTestRelay } from "./running_relay.ts";

Deno.test("recipients are suppressed, listed and get mail again", async () => {
  await using relay = await startTestRelay();
  assertEquals((await relay.run(["suppress", "list"])).out, "No recipient is suppressed.\n");
  const args = ["suppress", "add", "gone@example.net", "--reason", "moved", "--for", "3d"];
  assertEquals((await relay.run(args)).out, "Suppressed gone@example.net.\n");
  const { out } = await relay.run(["suppress", "list", "--text", "gone"]);
  assertMatch(out, /^gone@example\.net +\S.* in 2d .* moved$/m);
  const json = await relay.run(["suppress", "list", "--json"]);
  assertEquals(JSON.parse(json.out).items.length, 1);
  const removed = await relay.run(["suppress", "remove", "gone@example.net"]);
  assertEquals(removed.out, "gone@example.net is no longer suppressed.\n");
  assertEquals((await relay.run(["suppress", "remove", "gone@example.net"])).code, 1);
  assertEquals((await relay.run(["suppress", "add", "nonsense"])).code, 1);
  assertEquals((await relay.run(["suppress", "add"])).code, 2);
});
