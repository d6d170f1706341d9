import { assertEquals, assertMatch } from "@std/assert";
import { createHash, X509Certificate } from "node:crypto";
import { MxTransport } from "../../src/delivery/mx.ts";
import type { TlsOutcomeSink } from "../../src/delivery/tls/outcome.ts";
import type { TlsRules } from "../../src/delivery/tls/rules.ts";
import type { TlsaRecord } from "../../src/net/resolver.ts";
import { selfSigned, testAuthority, type TestCertificate } from "../support/certificates.ts";
import { sampleJob } from "../support/delivery_jobs.ts";
import { type Script, startScriptedPeer } from "../support/scripted_peer.ts";
import { inWords } from "../support/smarthost_setup.ts";
import { dialByAddress, type Names, smtpServices } from "../support/smtp_services.ts";

const HOST = "mx.dest.example";
const ADDRESS = "192.0.2.1";
const own = selfSigned({ names: ["whatever.example"], notBeforeMs: 1e12, notAfterMs: 1.1e12 });
const authority = testAuthority("Anchor");
const other = testAuthority("Other");

/** The record for a certificate: `3 1 1` and so on. */
function tlsa(form: string, pem: string): TlsaRecord {
  const [usage = 0, selector = 0, matchingType = 0] = form.split(" ").map(Number);
  const certificate = new X509Certificate(pem);
  const whole = selector === 0
    ? certificate.raw
    : certificate.publicKey.export({ type: "spki", format: "der" });
  const digest = ["", "sha256", "sha512"][matchingType] ?? "";
  const data = digest === "" ? whole : createHash(digest).update(whole).digest();
  return { usage, selector, matchingType, data: new Uint8Array(data) };
}

/** A certificate as a server sends it: with that of the authority behind it. */
function chained({ certificate, key }: TestCertificate, root = authority) {
  return { certificate: certificate + root.certificate, key };
}

const OFFERS: Script = { extensions: ["STARTTLS"], tls: { certificates: [own] } };
const RULES: TlsRules = { rule: { level: "opportunistic" }, dane: true };

/** Delivers one message by MX to a server whose TLSA records are `records`. */
async function deliver(
  script: Script,
  { records, names = {}, tls = RULES, onTlsOutcome }: {
    records: readonly TlsaRecord[] | null | undefined;
    names?: Names;
    tls?: TlsRules;
    onTlsOutcome?: TlsOutcomeSink;
  },
): Promise<string> {
  await using peer = startScriptedPeer(script);
  using services = smtpServices({
    names: {
      mx: { "dest.example": [`10 ${HOST}`] },
      addresses: { [HOST]: [ADDRESS] },
      tlsa: records === undefined ? {} : { [`_25._tcp.${HOST}`]: records },
      insecure: [],
      ...names,
    },
    dialer: dialByAddress({ [ADDRESS]: peer.port }),
  });
  const reporting = onTlsOutcome === undefined ? {} : { onTlsOutcome };
  await using transport = new MxTransport({
    ...{ name: "mx", heloName: "relay.example", tls },
    services: { ...services, ...reporting },
  });
  const { signal } = new AbortController();
  const report = await transport.deliver(sampleJob(), { signal });
  const how = report.tls === null ? "plain" : report.proof ?? "unproven";
  return `${inWords(report).join()} | ${how}`;
}

const leaf = authority.issue({ names: [HOST] });
const domainLeaf = authority.issue({ names: ["dest.example"] });
const wrongLeaf = authority.issue({ names: ["other.example"] });
const lateLeaf = authority.issue({ names: [HOST], notBeforeMs: 1e12, notAfterMs: 1.1e12 });

const CASES: readonly [string, TestCertificate | { certificate: string; key: string }, {
  records: TlsaRecord[];
}, RegExp][] = [
  ["3 1 1", own, { records: [tlsa("3 1 1", own.certificate)] }, /^delivered.* \| dane$/],
  ["3 0 2", own, { records: [tlsa("3 0 2", own.certificate)] }, /^delivered.* \| dane$/],
  ["3 0 0", own, { records: [tlsa("3 0 0", own.certificate)] }, /^delivered.* \| dane$/],
  [
    "one of two, as while keys are changed",
    own,
    { records: [tlsa("3 1 1", leaf.certificate), tlsa("3 1 1", own.certificate)] },
    /^delivered.* \| dane$/,
  ],
  [
    "another certificate",
    own,
    { records: [tlsa("3 1 1", leaf.certificate)] },
    /^broken 451 4\.7\.5 .* matches no TLSA record \| unproven$/,
  ],
  [
    "2 0 1",
    chained(leaf),
    { records: [tlsa("2 0 1", authority.certificate)] },
    /^delivered.* \| dane$/,
  ],
  [
    "2 1 1 for the domain",
    chained(domainLeaf),
    { records: [tlsa("2 1 1", authority.certificate)] },
    /^delivered.* \| dane$/,
  ],
  [
    "2 0 1, but for another name",
    chained(wrongLeaf),
    { records: [tlsa("2 0 1", authority.certificate)] },
    /^broken 451 4\.7\.5 .* is for other\.example, not mx\.dest\.example, dest\.example/,
  ],
  [
    "2 0 1, but out of date",
    chained(lateLeaf),
    { records: [tlsa("2 0 1", authority.certificate)] },
    /^broken 451 4\.7\.5 .* is out of date/,
  ],
  [
    "2 0 1, but the anchor did not sign it",
    { ...leaf, certificate: leaf.certificate + other.certificate },
    { records: [tlsa("2 0 1", other.certificate)] },
    /^broken 451 4\.7\.5 .* matches no TLSA record/,
  ],
  [
    "records that cannot be used ask for TLS alone",
    own,
    { records: [tlsa("1 0 1", leaf.certificate), tlsa("0 0 1", leaf.certificate)] },
    /^delivered.* \| unproven$/,
  ],
];

for (const [name, certificate, { records }, found] of CASES) {
  Deno.test(`DANE: ${name}`, async () => {
    const script = { ...OFFERS, tls: { certificates: [certificate] } };
    assertMatch(await deliver(script, { records }), found);
  });
}

const RIGHT = [tlsa("3 1 1", own.certificate)];
const WRONG = [tlsa("3 1 1", leaf.certificate)];

Deno.test("DANE: a server that withholds STARTTLS gets no mail", async () => {
  assertMatch(await deliver({}, { records: RIGHT }), /^broken 451 4\.7\.4 .* \| plain$/);
});

Deno.test("DANE: records that nobody vouches for count for nothing", async () => {
  for (const insecure of [[`_25._tcp.${HOST}`], [HOST], ["dest.example"]]) {
    const found = await deliver(OFFERS, { records: WRONG, names: { insecure } });
    assertEquals(found, "delivered 250 2.0.0 Stored | unproven", insecure.join());
  }
});

Deno.test("DANE: records that cannot be looked up are not taken for missing", async () => {
  assertMatch(
    await deliver(OFFERS, { records: null }),
    /^broken 451 4\.7\.5 Cannot look up the TLSA records of mx\.dest\.example: server failure/,
  );
});

Deno.test("DANE: where it is demanded, no records mean no delivery", async () => {
  const tls: TlsRules = { rule: { level: "dane" } };
  assertMatch(
    await deliver(OFFERS, { records: undefined, tls }),
    /^broken 451 4\.7\.5 mx\.dest\.example has no TLSA record authenticated by DNSSEC/,
  );
  assertMatch(await deliver(OFFERS, { records: RIGHT, tls }), /^delivered.* \| dane$/);
});

Deno.test("DANE: a rule for the domain comes before what it publishes", async () => {
  const overrides = [{ domain: "dest.example", rule: { level: "none" as const } }];
  const found = await deliver(OFFERS, { records: WRONG, tls: { ...RULES, overrides } });
  assertEquals(found, "delivered 250 2.0.0 Stored | plain");
});

Deno.test("DANE: what is wrong is told in the words of reports", async () => {
  const reported = async (
    records: readonly TlsaRecord[] | null | undefined,
    { script = OFFERS, tls = RULES }: { script?: Script; tls?: TlsRules } = {},
  ): Promise<string> => {
    const outcomes: string[] = [];
    await deliver(script, {
      ...{ records, tls },
      onTlsOutcome: ({ published, failure }) =>
        outcomes.push(`${published.type} ${failure?.type ?? "fine"} ${failure?.host ?? ""}`),
    });
    return outcomes.join();
  };
  assertEquals(await reported(RIGHT), "tlsa fine ");
  assertEquals(await reported(WRONG), `tlsa validation-failure ${HOST}`);
  assertEquals(await reported(RIGHT, { script: {} }), `tlsa starttls-not-supported ${HOST}`);
  const unusable = [tlsa("0 0 1", own.certificate)];
  assertEquals(await reported(unusable), `tlsa tlsa-invalid ${HOST}`);
  assertEquals(await reported(null), `tlsa dnssec-invalid ${HOST}`);
  assertEquals(await reported(undefined), "no-policy-found fine ");
  const tls: TlsRules = { rule: { level: "dane" } };
  assertEquals(await reported(undefined, { tls }), `tlsa dane-required ${HOST}`);
  const implicit: TlsRules = { ...RULES, settings: { implicit: true } };
  const inside = { ...OFFERS, implicitTls: true };
  assertEquals(
    await reported(WRONG, { script: inside, tls: implicit }),
    `tlsa validation-failure ${HOST}`,
  );
  assertEquals(await reported(RIGHT, { script: inside, tls: implicit }), "tlsa fine ");
});

/** Where `mx.dest.example` is an alias of a host in another zone. */
async function deliverByAlias(
  insecure: readonly string[],
  tlsaAt: Readonly<Record<string, TestCertificate>>,
): Promise<string> {
  const target = "mx.hoster.example";
  const tlsaRecords = Object.entries(tlsaAt).map(([name, { certificate }]) =>
    [`_25._tcp.${name}`, [tlsa("3 1 1", certificate)]] as const
  );
  return await deliver(OFFERS, {
    records: undefined,
    names: {
      aliases: { [HOST]: target },
      addresses: { [target]: [ADDRESS] },
      tlsa: Object.fromEntries(tlsaRecords),
      insecure,
    },
  });
}

Deno.test("DANE: a secure alias into an insecure zone leaves the records of its own name", async () => {
  const insecure = ["mx.hoster.example"];
  assertMatch(await deliverByAlias(insecure, { [HOST]: own }), /^delivered.* \| dane$/);
  assertMatch(await deliverByAlias(insecure, { [HOST]: leaf }), /^broken 451 4\.7\.5 /);
  // Those of the insecure name prove nothing.
  const misled = await deliverByAlias(insecure, { "mx.hoster.example": leaf });
  assertMatch(misled, /^delivered.* \| unproven$/);
});

Deno.test("DANE: an insecure alias leaves none", async () => {
  const insecure = ["mx.hoster.example", HOST];
  assertMatch(await deliverByAlias(insecure, { [HOST]: leaf }), /^delivered.* \| unproven$/);
});

Deno.test("DANE: with a secure alias all along the end of it counts first", async () => {
  const both = { [HOST]: leaf, "mx.hoster.example": own };
  assertMatch(await deliverByAlias([], both), /^delivered.* \| dane$/);
});
