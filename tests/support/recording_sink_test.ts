import { assertEquals, assertRejects } from "@std/assert";
import { havePeer, runPeer } from "./peers.ts";
import { startRecordingSink } from "./recording_sink.ts";

/** Sends `input` in one write and returns everything the sink answers until it hangs up. */
async function talk(port: number, input: string): Promise<string> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  await conn.write(new TextEncoder().encode(input));
  return await new Response(conn.readable).text();
}

Deno.test("recording sink: keeps a pipelined message octet for octet", async () => {
  await using sink = startRecordingSink();
  const replies = await talk(
    sink.port,
    "EHLO client.test\r\nMAIL FROM:<a@b.test> SIZE=9\r\nRCPT TO:<c@d.test>\r\nRCPT TO:<e@d.test>\r\n" +
      "DATA\r\n..one\r\ntwo\r\n...\r\n..\r\n\r\n.\r\nQUIT\r\n",
  );
  assertEquals(replies.split("\r\n").map((line) => line.slice(0, 4)), [
    "220 ",
    "250-",
    "250-",
    "250-",
    "250-",
    "250 ",
    "250 ",
    "250 ",
    "250 ",
    "354 ",
    "250 ",
    "221 ",
    "",
  ]);
  assertEquals(sink.messages.map(({ data, ...rest }) => ({ ...rest, data: decode(data) })), [{
    reversePath: "a@b.test",
    mailParameters: "SIZE=9",
    recipients: ["c@d.test", "e@d.test"],
    session: 1,
    data: ".one\r\ntwo\r\n..\r\n.\r\n\r\n",
  }]);
  assertEquals(sink.commands.length, 6);
});

Deno.test("recording sink: answers recipients and messages as told", async () => {
  await using sink = startRecordingSink({
    judgeRecipient: (address, seen) => {
      if (address === "never@d.test") return "550 5.1.1 No";
      return seen === 0 ? "450 4.2.0 Later" : null;
    },
    judgeMessage: (_message, seen) => seen === 0 ? "451 4.3.0 Not yet" : null,
  });
  const attempt = "MAIL FROM:<>\r\nRCPT TO:<never@d.test>\r\nRCPT TO:<x@d.test>\r\n";
  const data = "DATA\r\n.\r\n";
  const replies = await talk(
    sink.port,
    `${attempt}${"RSET\r\n"}${attempt}${data}${attempt}${data}QUIT\r\n`,
  );
  assertEquals(
    replies.replaceAll(/ [^\r]*/g, "").split("\r\n").slice(1, -1).join(" "),
    [
      "250 550 450 250",
      "250 550 250 354 451",
      "250 550 250 354 250",
      "221",
    ].join(" "),
  );
  assertEquals(sink.messages.map(({ recipients }) => recipients), [["x@d.test"]]);
});

Deno.test("recording sink: waits for messages, not for ever", async () => {
  await using sink = startRecordingSink();
  await assertRejects(() => sink.waitForMessages(1, { timeoutMs: 5 }), Error, "only 0 messages");
  const reached = sink.waitForMessages(1);
  await talk(sink.port, "MAIL FROM:<>\r\nRCPT TO:<x@d.test>\r\nDATA\r\n.\r\nQUIT\r\n");
  await reached;
});

Deno.test("recording sink: cuts open connections when disposed of", async () => {
  const sink = startRecordingSink();
  using conn = await Deno.connect({ hostname: "127.0.0.1", port: sink.port });
  await conn.read(new Uint8Array(100));
  await sink[Symbol.asyncDispose]();
  assertEquals(await conn.read(new Uint8Array(100)), null);
});

Deno.test({
  name: "recording sink: takes a crowd of real clients (needs smtp-source)",
  ignore: !havePeer("smtp-source"),
  fn: async () => {
    await using sink = startRecordingSink();
    const result = await runPeer("smtp-source", {
      args: ["-d", "-s", "10", "-m", "500", "-l", "2048", `127.0.0.1:${sink.port}`],
    });
    assertEquals(result.code, 0, result.stderr);
    await sink.waitForMessages(500);
    assertEquals(sink.messages.length, 500);
  },
});

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
