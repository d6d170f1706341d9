import { assert, assertEquals } from "@std/assert";
import { createHash, X509Certificate } from "node:crypto";
import type { RelayEvent } from "../../src/observe/events.ts";
import { selfSigned } from "../support/certificates.ts";
import { type DnsServer, startDnsServer } from "../support/dns_server.ts";
import { PlainClient } from "../support/plain_client.ts";
import { startInProcessRelay } from "../support/relay_in_process.ts";
import { type Script, type ScriptedPeer, startScriptedPeer } from "../support/scripted_peer.ts";

const HERE = "127.0.0.1";
/** Nobody listens there. */
const DEAD = "127.0.0.5";
const certificate = selfSigned({ names: ["whatever.test"] });

/** What became of a message to `b@domain`, by MX in a DNS of the test's own. */
async function sendTo(
  domain: string,
  { script = {}, zone }: {
    script?: Script;
    zone: (dns: DnsServer, peer: ScriptedPeer) => void;
  },
) {
  await using dns = await startDnsServer();
  await using peer = startScriptedPeer(script);
  zone(dns, peer);
  await using relay = await startInProcessRelay({
    toml: `dns.servers = ["${dns.address}"]\n` +
      `[transports.mx]\ntype = "mx"\nport = ${peer.port}\nmta_sts = false\n`,
  });
  using client = await PlainClient.greet(relay.smtpPort);
  await client.send({
    ...{ from: "a@origin.example", to: [`b@${domain}`] },
    data: new TextEncoder().encode("Subject: by MX\r\n\r\nHello\r\n"),
  });
  const event = await relay.waitFor(isOutcome);
  assert(isOutcome(event));
  await relay.stored();
  const response = await fetch(`${relay.origin}/api/v1/messages/${event.messageId}`);
  const { timeline } = await response.json();
  const { detail = {} } = timeline.find(({ kind }: { kind: string }) => kind === "attempt") ?? {};
  const { type, reply } = event;
  return { type, reply, detail, queries: [...dns.queries], port: peer.port };
}

function isOutcome(event: RelayEvent): event is Extract<RelayEvent, { readonly delayMs: number }> {
  return event.type === "delivered" || event.type === "deferred" || event.type === "bounced";
}

Deno.test("exchangers: an alias of a domain, a dead exchanger, an alias of a host", async () => {
  const { type, detail, queries, port } = await sendTo("alias.example", {
    zone(dns) {
      dns.add("alias.example", "CNAME", ["dest.example"]);
      dns.add("dest.example", "MX", [
        { preference: 20, exchange: "www.dest.example" },
        { preference: 10, exchange: "dead.dest.example" },
      ]);
      dns.add("dead.dest.example", "A", [DEAD]);
      dns.add("www.dest.example", "CNAME", ["host.dest.example"]);
      dns.add("host.dest.example", "A", [HERE]);
    },
  });
  assertEquals([type, detail.remote], ["delivered", `www.dest.example[${HERE}]:${port}`]);
  assert(queries.includes("MX alias.example") && queries.includes("A www.dest.example"));
});

Deno.test("exchangers: both kinds of address, one of them dead", async () => {
  const { type, detail, port } = await sendTo("dest.example", {
    zone(dns) {
      dns.add("dest.example", "MX", [{ preference: 10, exchange: "mx.dest.example" }]);
      dns.add("mx.dest.example", "AAAA", ["::ffff:127.0.0.5"]);
      dns.add("mx.dest.example", "A", [DEAD, HERE]);
    },
  });
  assertEquals([type, detail.remote], ["delivered", `mx.dest.example[${HERE}]:${port}`]);
});

Deno.test("exchangers: a domain that takes no mail bounces at once", async () => {
  const { type, reply } = await sendTo("null.example", {
    zone: (dns) => dns.add("null.example", "MX", [{ preference: 0, exchange: "." }]),
  });
  assertEquals([type, reply], [
    "bounced",
    "556 5.1.10 Recipient domain does not accept mail (null MX)",
  ]);
});

Deno.test("exchangers: aliases that lead in a circle are no domain", async () => {
  const { type } = await sendTo("one.example", {
    zone(dns) {
      dns.add("one.example", "CNAME", ["two.example"]);
      dns.add("two.example", "CNAME", ["one.example"]);
    },
  });
  assertEquals(type, "bounced");
});

/** The zone of a domain whose exchanger publishes that digest of its key. */
function daneZone(key: Uint8Array): (dns: DnsServer, peer: ScriptedPeer) => void {
  return (dns, { port }) => {
    dns.authentic = true;
    dns.add("dest.example", "MX", [{ preference: 10, exchange: "mx.dest.example" }]);
    dns.add("mx.dest.example", "A", [HERE]);
    const digest = createHash("sha256").update(key).digest();
    dns.add(`_${port}._tcp.mx.dest.example`, "TLSA", [
      { usage: 3, selector: 1, matchingType: 1, certificate: digest },
    ]);
  };
}

const OFFERS_TLS: Script = { extensions: ["STARTTLS"], tls: { certificates: [certificate] } };

Deno.test("exchangers: DANE finds the right server, and keeps from another", async () => {
  const spki = { type: "spki", format: "der" } as const;
  const key = new X509Certificate(certificate.certificate).publicKey.export(spki);
  const right = await sendTo("dest.example", { script: OFFERS_TLS, zone: daneZone(key) });
  assertEquals([right.type, right.detail.proof], ["delivered", "dane"]);
  assert(/^TLSv1\.[23] \w+/.test(right.detail.tls), right.detail.tls);
  const wrong = await sendTo("dest.example", {
    script: OFFERS_TLS,
    zone: daneZone(key.subarray(1)),
  });
  assertEquals(wrong.type, "deferred");
  assert(wrong.reply.includes("matches no TLSA record"), wrong.reply);
});
