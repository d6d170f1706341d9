import { assert, assertEquals, assertRejects } from "@std/assert";
import { PlainClient } from "./plain_client.ts";
import { startRecordingSink } from "./recording_sink.ts";

Deno.test("plain client: what it sends is what the sink records", async () => {
  await using sink = startRecordingSink({
    judgeRecipient: (address) => address.startsWith("no") ? "550 5.1.1 No" : null,
  });
  const data = new TextEncoder().encode(".\r\n..two\r\nthree\r\n.four\r\n\r\n.\r\n");
  using client = await PlainClient.greet(sink.port);
  const taken = await client.send({ from: "", to: ["a@b.test", "c@d.test"], data });
  assertEquals(taken.reply.code, 250);
  assert(taken.dotToReplyMs !== null && taken.dotToReplyMs >= 0);
  assertEquals(sink.messages[0]?.data, data);
  const refused = await client.send({ from: "x@y.test", to: ["no@b.test"], data });
  assertEquals(refused, { reply: { code: 550, lines: ["5.1.1 No"] }, dotToReplyMs: null });
});

Deno.test("plain client: a server that hangs up is an error", async () => {
  await using sink = startRecordingSink();
  using client = await PlainClient.greet(sink.port);
  assertEquals((await client.command("QUIT")).code, 221);
  await assertRejects(() => client.command("NOOP"));
});
