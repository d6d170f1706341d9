import { assert, assertEquals } from "@std/assert";
import { tempFolder } from "../support/peers.ts";
import { PlainClient } from "../support/plain_client.ts";
import { startRecordingSink } from "../support/recording_sink.ts";
import { startRelay } from "../support/relay_process.ts";
import { sampleMessage } from "../support/sample_messages.ts";

const encoder = new TextEncoder();
const START = "MAIL FROM:<a@source.test>\r\nRCPT TO:<b@sink.test>\r\nDATA\r\n";

/** What a client writes before it vanishes without a word. */
const VANISHING: Readonly<Record<string, Uint8Array>> = {
  "before its first command": new Uint8Array(),
  "in the middle of a command": encoder.encode("MAIL FR"),
  "between CR and LF": encoder.encode("NOOP\r"),
  "after MAIL": encoder.encode("MAIL FROM:<a@source.test>\r\n"),
  "in the middle of a message": encoder.encode(`${START}Subject: lost\r\n\r\nhal`),
  "before the final dot": encoder.encode(`${START}Subject: lost\r\n\r\ntext\r\n`),
  "in the middle of the final dot": encoder.encode(`${START}Subject: lost\r\n\r\ntext\r\n.\r`),
  "in the middle of a large message": encoder.encode(`${START}${"x".repeat(78)}\r\n`.repeat(9000)),
  "in a line without end": encoder.encode("x".repeat(300_000)),
  "among NULs": new Uint8Array(100_000),
  "in the middle of TLS that nobody offered": Uint8Array.of(0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3),
};

/** What a client writes and what it is told, one code a line. */
const REFUSED: Readonly<Record<string, { input: string; codes: readonly number[] }>> = {
  "a line too long (RFC 5321 4.5.3.1.4)": {
    input: `NOOP ${"x".repeat(5000)}\r\nNOOP\r\n`,
    codes: [500, 250],
  },
  "a NUL in a command": { input: "NO\0OP\r\nNOOP\r\n", codes: [500, 250] },
  "a bare CR in a message": {
    input: `${START}Subject: x\r\n\r\none\rtwo\r\n.\r\nNOOP\r\n`,
    codes: [250, 250, 354, 554, 250],
  },
  "a bare LF in a message": {
    input: `${START}Subject: x\r\n\r\none\ntwo\r\n.\r\nNOOP\r\n`,
    codes: [250, 250, 354, 554, 250],
  },
  "a NUL in a message": {
    input: `${START}Subject: x\r\n\r\none\0two\r\n.\r\nNOOP\r\n`,
    codes: [250, 250, 354, 554, 250],
  },
  "an end of data with a bare LF": {
    input: `${START}Subject: x\r\n\r\none\n.\nMAIL FROM:<evil@source.test>\r\n.\r\nNOOP\r\n`,
    codes: [250, 250, 354, 554, 250],
  },
};

Deno.test("bad input: clients that vanish leave no message and no harm", async () => {
  await using folder = await tempFolder();
  await using sink = startRecordingSink();
  await using relay = await startRelay({ folder: folder.path, nextHopPort: sink.port });
  for (const input of Object.values(VANISHING)) {
    using client = await PlainClient.greet(relay.port);
    await writeIfWanted(client, input);
  }
  await assertStillWorks({ port: relay.port, sink });
  assertEquals(sink.messages.length, 1);
});

Deno.test("bad input: what is refused keeps the dialogue in step", async (test) => {
  await using folder = await tempFolder();
  await using sink = startRecordingSink();
  await using relay = await startRelay({ folder: folder.path, nextHopPort: sink.port });
  for (const [name, { input, codes }] of Object.entries(REFUSED)) {
    await test.step(name, async () => {
      using client = await PlainClient.greet(relay.port);
      await client.write(encoder.encode(input));
      const got: number[] = [];
      while (got.length < codes.length) got.push((await client.readReply()).code);
      assertEquals(got, codes);
    });
  }
  await assertStillWorks({ port: relay.port, sink });
  assertEquals(sink.messages.length, 1);
});

/** The relay may hang up in the middle of rubbish. */
async function writeIfWanted(client: PlainClient, input: Uint8Array): Promise<void> {
  try {
    await client.write(input);
  } catch (error) {
    const isHangUp = error instanceof Deno.errors.ConnectionReset ||
      error instanceof Deno.errors.BrokenPipe;
    assert(isHangUp, String(error));
  }
}

async function assertStillWorks(
  { port, sink }: { port: number; sink: ReturnType<typeof startRecordingSink> },
): Promise<void> {
  using client = await PlainClient.greet(port);
  const { reply } = await client.send({
    from: "a@source.test",
    to: ["b@sink.test"],
    data: sampleMessage(),
  });
  assertEquals(reply.code, 250);
  await sink.waitForMessages(1);
}
