import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { decodeText } from "../../src/base/bytes.ts";
import { hasEightBit } from "../../src/mail/body_facts.ts";
import { haveDkimPy, signWithDkimPy, verifyArcWithDkimPy } from "../support/dkim_peers.ts";
import { type DnsServer, startDnsServer } from "../support/dns_server.ts";
import { PlainClient } from "../support/plain_client.ts";
import { startRecordingSink } from "../support/recording_sink.ts";
import { type InProcessRelay, startInProcessRelay } from "../support/relay_in_process.ts";
import { messageOfSize, sampleMessage } from "../support/sample_messages.ts";
import { makeKey, recordsOf } from "../signing/verify_setup.ts";

const OURS = makeKey("relay.test");
const AUTHOR = makeKey("source.test");
const RECORDS = recordsOf([OURS.key, AUTHOR.key]);

/** A DNS with the keys, and what else is asked of a client on loopback. */
async function startDns(): Promise<DnsServer> {
  const dns = await startDnsServer();
  for (const [name, value] of Object.entries(RECORDS)) {
    dns.add(name, "TXT", [value.match(/.{1,255}/g) ?? []]);
  }
  dns.add("_dmarc.source.test", "TXT", ["v=DMARC1; p=reject"]);
  dns.add("source.test", "TXT", ["v=spf1 ip4:127.0.0.1 -all"]);
  dns.add("1.0.0.127.in-addr.arpa", "PTR", ["client.source.test"]);
  dns.add("client.source.test", "A", ["127.0.0.1"]);
  return dns;
}

/** A relay that seals; nobody is trusted, so everybody is a stranger who sends to sink.test. */
function startSealingRelay(
  { port, dns, toml = "", networks = `["192.0.2.0/24"]` }: {
    port: number;
    dns: DnsServer;
    toml?: string;
    networks?: string;
  },
): Promise<InProcessRelay> {
  return startInProcessRelay({
    toml: `
      hostname = "mx.relay.test"
      dns.servers = ["${dns.address}"]
      queue.retry = ["1s"]
      [transports.out]
      type = "smarthost"
      hosts = ["127.0.0.1:${port}"]
      [relay]
      networks = ${networks}
      domains = ["sink.test"]
      [arc]
      domain = "relay.test"
      selector = "s1"
      key = { env = "ARC_KEY" }
      ${toml}
    `,
    env: { ARC_KEY: OURS.pem, DKIM_KEY: AUTHOR.pem },
  });
}

async function send(port: number, data: Uint8Array): Promise<void> {
  using client = await PlainClient.greet(port);
  const from = "sender@source.test";
  const { reply } = await client.send({ from, to: ["user@sink.test"], data });
  assertEquals(reply.code, 250);
}

Deno.test({
  name: "ARC: what strangers send is sealed once, with what was found out (needs python3-dkim)",
  ignore: !haveDkimPy,
  async fn() {
    let refusals = 1;
    await using sink = startRecordingSink({
      judgeMessage: () => refusals-- > 0 ? "451 4.3.0 Not now" : null,
    });
    await using dns = await startDns();
    await using running = await startSealingRelay({ port: sink.port, dns });
    for (const message of [sampleMessage(), messageOfSize(700_000)]) {
      const signed = await signWithDkimPy(message, {
        ...{ domain: "source.test", selector: "s1", key: AUTHOR.pem, algorithm: "rsa-sha256" },
        ...{ forms: "relaxed/simple", length: false },
      });
      await send(running.smtpPort, signed);
    }
    await sink.waitForMessages(2);
    for (const { data } of sink.messages) {
      const text = decodeText(data);
      assertEquals(text.match(/^ARC-Seal: i=1;/gm)?.length, 1);
      assertStringIncludes(text, "ARC-Authentication-Results: i=1; mx.relay.test;");
      assertMatch(text, /\tdkim=pass header\.d=source\.test header\.s=s1 header\.a=rsa-sha256/);
      assertStringIncludes(text, "\tiprev=pass policy.iprev=127.0.0.1;");
      assertStringIncludes(text, "\tspf=pass smtp.mailfrom=source.test;");
      assertStringIncludes(text, "\tdmarc=pass header.from=source.test policy.dmarc=reject;");
      assertStringIncludes(text, "\tarc=none smtp.remote-ip=127.0.0.1\r\n");
      assertEquals((await verifyArcWithDkimPy(data, RECORDS)).slice(0, 2), ["pass", [1]]);
    }
  },
});

Deno.test("ARC: a message goes on with a failed chain when the DNS has no key", async () => {
  await using sink = startRecordingSink();
  await using dns = await startDns();
  await using first = await startSealingRelay({ port: sink.port, dns });
  await send(first.smtpPort, sampleMessage());
  await sink.waitForMessages(1);
  dns.remove("s1._domainkey.relay.test");
  await using second = await startSealingRelay({ port: sink.port, dns });
  await send(second.smtpPort, sink.messages[0]?.data ?? new Uint8Array());
  await sink.waitForMessages(2);
  const text = decodeText(sink.messages[1]?.data ?? new Uint8Array());
  assertMatch(text, /^ARC-Seal: i=2; a=rsa-sha256; cv=fail;/);
  assertStringIncludes(text, 'arc=fail reason="signature 1: no key for signature"');
});

Deno.test({
  name: "ARC: what is converted for a next hop of 7 bits is sealed as it leaves " +
    "(needs python3-dkim)",
  ignore: !haveDkimPy,
  async fn() {
    await using sink = startRecordingSink();
    await using sevenBits = startRecordingSink({ extensions: ["PIPELINING", "SIZE 0"] });
    await using dns = await startDns();
    await using first = await startSealingRelay({ port: sink.port, dns });
    await send(first.smtpPort, sampleMessage({ lines: ["Grüße"] }));
    await sink.waitForMessages(1);
    await using second = await startSealingRelay({ port: sevenBits.port, dns });
    await send(second.smtpPort, sink.messages[0]?.data ?? new Uint8Array());
    await sevenBits.waitForMessages(1);
    const data = sevenBits.messages[0]?.data ?? new Uint8Array();
    assert(!hasEightBit(data));
    assertMatch(decodeText(data), /^ARC-Seal: i=2; a=rsa-sha256; cv=pass;/);
    assertEquals((await verifyArcWithDkimPy(data, RECORDS)).slice(0, 2), ["pass", [2, 1]]);
  },
});

const CHOICES: readonly [string, { toml: string; networks?: string }, RegExp][] = [
  ["a listener that is not named", { toml: `listeners = ["http"]` }, /^Received:/],
  ["a listener that is named", { toml: `listeners = ["smtp"]` }, /^ARC-Seal:/],
  ["a trusted client", { toml: "", networks: `["127.0.0.1"]` }, /^Received:/],
  ["a trusted client where it is asked for", {
    ...{ toml: "trusted = true", networks: `["127.0.0.1"]` },
  }, /^ARC-Seal:/],
  ["a trusted author whom DKIM signs for", {
    toml: `trusted = true\n[[dkim]]\ndomain = "source.test"\nselector = "s1"\n` +
      `key = { env = "DKIM_KEY" }`,
    networks: `["127.0.0.1"]`,
  }, /^DKIM-Signature:[^]*\r\nReceived/],
];

for (const [what, settings, start] of CHOICES) {
  Deno.test(`ARC: mail of ${what}`, async () => {
    await using sink = startRecordingSink();
    await using dns = await startDns();
    await using running = await startSealingRelay({ port: sink.port, dns, ...settings });
    await send(running.smtpPort, sampleMessage());
    await sink.waitForMessages(1);
    const text = decodeText(sink.messages[0]?.data ?? new Uint8Array());
    assertMatch(text, start);
    assert(start.source.includes("ARC") || !text.includes("ARC-Seal"));
  });
}
