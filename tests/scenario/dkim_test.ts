import { assert, assertEquals, assertMatch } from "@std/assert";
import { decodeText, encodeText } from "../../src/base/bytes.ts";
import { hasEightBit } from "../../src/mail/body_facts.ts";
import { generateKey, readKey } from "../../src/signing/key.ts";
import { recordName, recordValue } from "../../src/signing/record.ts";
import { haveDkimPy, verifyWithDkimPy } from "../support/dkim_peers.ts";
import { PlainClient } from "../support/plain_client.ts";
import { startRecordingSink } from "../support/recording_sink.ts";
import { type InProcessRelay, startInProcessRelay } from "../support/relay_in_process.ts";
import { messageOfSize, sampleMessage } from "../support/sample_messages.ts";

const PEM = generateKey({ type: "ed25519" });
const RECORDS = { [recordName({ selector: "s1", domain: "source.test" })]: recordOf(PEM) };

function recordOf(pem: string): string {
  const read = readKey(pem);
  if (read.kind === "problem") throw new Error(read.reason);
  return recordValue(read.key);
}

/** A relay that signs for source.test and sends everything to a port. */
function startSigningRelay(
  { port, networks = `["127.0.0.0/8"]`, toml: more = "" }: {
    port: number;
    networks?: string;
    toml?: string;
  },
): Promise<InProcessRelay> {
  const toml = `
    queue.retry = ["1s"]
    hostname = "relay.source.test"
    [transports.out]
    type = "smarthost"
    hosts = ["127.0.0.1:${port}"]
    [relay]
    networks = ${networks}
    domains = ["sink.test"]
    [[dkim]]
    domain = "source.test"
    selector = "s1"
    key = { env = "DKIM_KEY" }
    ${more}
  `;
  return startInProcessRelay({ toml, env: { DKIM_KEY: PEM } });
}

async function send(port: number, data: Uint8Array, from = "sender@source.test"): Promise<void> {
  using client = await PlainClient.greet(port);
  const { reply } = await client.send({ from, to: ["user@sink.test"], data });
  assertEquals(reply.code, 250);
}

Deno.test({
  name: "DKIM: what leaves is signed once, in memory or spooled, and verifies (needs python3-dkim)",
  ignore: !haveDkimPy,
  async fn() {
    let refusals = 1;
    await using sink = startRecordingSink({
      judgeMessage: () => refusals-- > 0 ? "451 4.3.0 Not now" : null,
    });
    await using running = await startSigningRelay({ port: sink.port });
    await send(running.smtpPort, sampleMessage());
    await running.waitFor(({ type }) => type === "delivered");
    await send(running.smtpPort, messageOfSize(700_000));
    await sink.waitForMessages(2);
    for (const { data } of sink.messages) {
      assertEquals(decodeText(data).match(/^DKIM-Signature:/gm)?.length, 1);
      assertEquals(await verifyWithDkimPy(data, RECORDS), [true]);
    }
  },
});

const EIGHT_BIT = [
  sampleMessage({ lines: ["Grüße aus Köln", ". ", "", ""] }),
  sampleMessage({ lines: new Array<string>(20_000).fill("Grüße aus Köln an alle, die es lesen") }),
];

Deno.test({
  name: "DKIM: what is converted for a next hop of 7 bits is signed as it leaves " +
    "(needs python3-dkim)",
  ignore: !haveDkimPy,
  async fn() {
    await using sevenBits = startRecordingSink({ extensions: ["PIPELINING", "SIZE 0"] });
    await using eightBits = startRecordingSink();
    for (const sink of [sevenBits, eightBits]) {
      await using running = await startSigningRelay({ port: sink.port });
      for (const message of EIGHT_BIT) await send(running.smtpPort, message);
      await sink.waitForMessages(2);
      for (const { data } of sink.messages) {
        assertEquals(hasEightBit(data), sink === eightBits);
        assertEquals(decodeText(data).match(/^DKIM-Signature:/gm)?.length, 1);
        assertEquals(await verifyWithDkimPy(data, RECORDS), [true]);
      }
    }
  },
});

Deno.test("DKIM: strangers who claim an author of ours are not vouched for", async () => {
  await using sink = startRecordingSink();
  const networks = `["192.0.2.0/24"]`;
  await using running = await startSigningRelay({ port: sink.port, networks });
  await send(running.smtpPort, sampleMessage());
  await sink.waitForMessages(1);
  assert(!decodeText(sink.messages[0]?.data ?? new Uint8Array()).includes("DKIM-Signature"));
});

Deno.test("DKIM: notifications are signed like other mail", async () => {
  await using sink = startRecordingSink({
    judgeRecipient: (address) => address === "user@sink.test" ? "550 5.1.1 No such user" : null,
  });
  await using running = await startSigningRelay({ port: sink.port });
  await send(running.smtpPort, encodeText("From: sender@source.test\r\n\r\ntext\r\n"));
  await sink.waitForMessages(1);
  const text = decodeText(sink.messages[0]?.data ?? new Uint8Array());
  assertMatch(text, /^DKIM-Signature:[^]*From: [^\r]*mailer-daemon@relay\.source\.test/i);
});

Deno.test("DKIM: that a list was expanded is told in signed mail", async () => {
  await using sink = startRecordingSink();
  const toml = `[aliases]\n"team@sink.test" = ["a@sink.test", "b@sink.test"]`;
  await using running = await startSigningRelay({ port: sink.port, toml });
  using client = await PlainClient.greet(running.smtpPort);
  for (const line of ["MAIL FROM:<s@source.test>", "RCPT TO:<team@sink.test> NOTIFY=SUCCESS"]) {
    assertEquals((await client.command(line)).code, 250);
  }
  assertEquals((await client.command("DATA")).code, 354);
  assertEquals((await client.command("From: s@other.test\r\n\r\ntext\r\n.")).code, 250);
  await sink.waitForMessages(2);
  const texts = sink.messages.map(({ data }) => decodeText(data));
  const notice = texts.find((text) => /mailer-daemon@/i.test(text));
  assertMatch(notice ?? "", /^DKIM-Signature:/);
});
