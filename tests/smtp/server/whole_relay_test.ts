import { assertEquals, assertMatch } from "@std/assert";
import { decodeText, encodeText } from "../../../src/base/bytes.ts";
import { tempFolder } from "../../support/peers.ts";
import { PlainClient } from "../../support/plain_client.ts";
import { type RecordingSinkOptions, startRecordingSink } from "../../support/recording_sink.ts";
import { type RelayOptions, startRelay } from "../../support/relay_process.ts";

/** Runs `talk` with a client of a relay in front of a sink. */
async function withRelay(
  { sinkOptions, ...options }: Pick<RelayOptions, "listener" | "settings"> & {
    sinkOptions?: RecordingSinkOptions;
  },
  talk: (
    client: PlainClient,
    sink: ReturnType<typeof startRecordingSink>,
  ) => Promise<void>,
): Promise<void> {
  await using folder = await tempFolder();
  await using sink = startRecordingSink(sinkOptions);
  await using relay = await startRelay({
    folder: folder.path,
    nextHopPort: sink.port,
    ...options,
  });
  using client = await PlainClient.connect(relay.port);
  await talk(client, sink);
}

async function codes(client: PlainClient, lines: readonly string[]): Promise<string> {
  const found: number[] = [];
  for (const line of lines) found.push((await client.command(line)).code);
  return found.join(" ");
}

Deno.test("server: a message in chunks goes out as it came", async () => {
  await withRelay({}, async (client, sink) => {
    assertEquals(
      await codes(client, ["EHLO c.test", "MAIL FROM:<a@source.test>", "RCPT TO:<b@sink.test>"]),
      "250 250 250",
    );
    const chunk = "Subject: chunks\r\n\r\n.dot\r\n";
    await client.write(encodeText(`BDAT ${chunk.length}\r\n${chunk}BDAT 3 LAST\r\nend`));
    assertEquals((await client.readReply()).code, 250);
    assertEquals((await client.readReply()).code, 250);
    await sink.waitForMessages(1);
    assertMatch(decodeText(sink.messages[0]?.data ?? new Uint8Array()), /\r\n\.dot\r\nend\r\n$/);
  });
});

Deno.test("server: a list is expanded, and the sender who wants to know is told", async () => {
  const settings = `[aliases]\n"team@relay.test" = ["a@sink.test", "b@sink.test"]\n`;
  await withRelay({ settings }, async (client, sink) => {
    const rcpt = "RCPT TO:<team@relay.test> NOTIFY=SUCCESS,FAILURE";
    const lines = ["EHLO c.test", "EXPN team", "MAIL FROM:<s@sink.test> ENVID=id7", rcpt, "DATA"];
    assertEquals(await codes(client, lines), "250 250 250 250 354");
    assertEquals((await client.command("Subject: list\r\n\r\ntext\r\n.")).code, 250);
    await sink.waitUntil(() => sink.messages.flatMap(({ recipients }) => recipients).length >= 3);
    const recipients = sink.messages.flatMap(({ recipients }) => recipients).toSorted();
    assertEquals(recipients, ["a@sink.test", "b@sink.test", "s@sink.test"]);
    const notice = sink.messages.find(({ reversePath }) => reversePath === "");
    const text = decodeText(notice?.data ?? new Uint8Array());
    assertMatch(text, /Original-Envelope-Id: id7/);
    assertMatch(text, /Final-Recipient: rfc822;\s*team@relay\.test/);
    assertMatch(text, /Action: expanded/);
  });
});

Deno.test("server: ETRN makes waiting mail go, but not what is held", async () => {
  const busyAtFirst = (_address: string, seen: number) => seen === 0 ? "450 4.2.0 Busy" : null;
  await withRelay({ sinkOptions: { judgeRecipient: busyAtFirst } }, async (client, sink) => {
    const rcpt = "RCPT TO:<b@mx.sink.test>";
    const data = "Subject: later\r\n\r\ntext\r\n.";
    const held = ["EHLO c.test", "MAIL FROM:<held@source.test> HOLDFOR=3600", rcpt, "DATA", data];
    assertEquals(await codes(client, held), "250 250 250 354 250");
    assertEquals((await client.command("ETRN @sink.test")).code, 251);
    const waiting = ["MAIL FROM:<a@source.test>", rcpt, "DATA", data];
    assertEquals(await codes(client, waiting), "250 250 354 250");
    let code = 0;
    while (code !== 253) code = (await client.command("ETRN @sink.test")).code;
    await sink.waitForMessages(1);
    assertEquals(sink.messages.map(({ reversePath }) => reversePath), ["a@source.test"]);
    assertEquals((await client.command("ETRN sink.test")).code, 251);
  });
});

Deno.test("server: extensions that a listener switches off are not there", async () => {
  const listener = "extensions = { chunking = false, etrn = false, mt_priority = false }";
  await withRelay({ listener }, async (client) => {
    const { lines } = await client.command("EHLO c.test");
    const offered = lines.map((line) => line.split(" ")[0]);
    for (const keyword of ["CHUNKING", "BINARYMIME", "ETRN", "MT-PRIORITY", "STARTTLS"]) {
      assertEquals(offered.includes(keyword), false, keyword);
    }
    assertEquals(offered.includes("DSN"), true);
    const lacking = ["BDAT 0 LAST", "ETRN sink.test", "STARTTLS"];
    assertEquals(await codes(client, lacking), "502 502 502");
    assertEquals((await client.command("MAIL FROM:<> MT-PRIORITY=1")).code, 555);
  });
});

Deno.test("server: of 1,200 recipients in one group the first 1,000 are taken", async () => {
  await withRelay({}, async (client, sink) => {
    assertEquals((await client.command("EHLO c.test")).code, 250);
    const group = ["MAIL FROM:<a@source.test>"];
    for (let index = 0; index < 1200; index++) group.push(`RCPT TO:<r${index}@sink.test>`);
    await client.write(encodeText(`${group.join("\r\n")}\r\nDATA\r\n`));
    const found: number[] = [];
    for (let count = 0; count < 1202; count++) found.push((await client.readReply()).code);
    const times = (code: number) => found.filter((one) => one === code).length;
    assertEquals([times(250), times(452), found.at(-1)], [1001, 200, 354]);
    assertEquals((await client.command("Subject: many\r\n\r\ntext\r\n.")).code, 250);
    await sink.waitUntil(() =>
      sink.messages.flatMap(({ recipients }) => recipients).length >= 1000
    );
  });
});

Deno.test("server: a trace field outside ASCII counts as octets of the message", async () => {
  const sinkOptions = { extensions: ["SMTPUTF8", "8BITMIME"] };
  await withRelay({ sinkOptions }, async (client, sink) => {
    const lines = [
      "EHLO bücher.example",
      "MAIL FROM:<a@source.test> SMTPUTF8",
      "RCPT TO:<jürgen@sink.test>",
      "DATA",
    ];
    assertEquals(await codes(client, lines), "250 250 250 354");
    assertEquals((await client.command("Subject: plain\r\n\r\ntext\r\n.")).code, 250);
    await sink.waitForMessages(1);
    const text = decodeText(sink.messages[0]?.data ?? new Uint8Array());
    assertMatch(text, /^Received: from xn--bcher-kva\.example /);
    assertMatch(text, /for <jürgen@sink\.test>;/);
    assertMatch(sink.messages[0]?.mailParameters ?? "", /BODY=8BITMIME/);
  });
});
