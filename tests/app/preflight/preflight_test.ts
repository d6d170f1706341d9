import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { PreflightCheck } from "../../../src/admin/ports.ts";
import { createPreflight, type PreflightConfig } from "../../../src/app/preflight/mod.ts";
import { evaluateSpf } from "../../../src/authentication/spf.ts";
import { systemClock } from "../../../src/base/clock.ts";
import { bouncesConfig, bouncesSchema } from "../../../src/config/sections/bounces.ts";
import { generateKey, readKey } from "../../../src/signing/key.ts";
import { recordValue } from "../../../src/signing/record.ts";
import { createResolver, type Resolver } from "../../../src/net/resolver.ts";
import { type DnsServer, startDnsServer } from "../../support/dns_server.ts";

const NO_BOUNCES = bouncesConfig(bouncesSchema.parse({}));
const ADDRESS = "192.0.2.10";
const REVERSE = "10.2.0.192.in-addr.arpa";

interface Setup extends AsyncDisposable {
  readonly dns: DnsServer;
  readonly resolver: Resolver;
  check(
    options?: { policy?: string; refusesDial?: boolean } & Partial<PreflightConfig>,
  ): Promise<ReadonlyMap<string, PreflightCheck>>;
}

/** A relay with a public address, and a zone that a test fills. */
async function setUp(): Promise<Setup> {
  const dns = await startDnsServer();
  const resolver = createResolver({ servers: [dns.address], hosts: new Map() });
  dns.add("relay.example.net", "A", [ADDRESS]);
  return {
    dns,
    resolver,
    async check({ policy, refusesDial = false, ...config } = {}) {
      const preflight = createPreflight({
        resolver,
        clock: systemClock,
        config: () => ({
          ...{
            hostname: "relay.example.net",
            relay: { networks: [], domains: [], keepBcc: false },
          },
          ...{ dkim: [], arc: null, bounces: NO_BOUNCES, ...config },
        }),
        dial: () =>
          Promise.resolve({ kind: refusesDial ? "timeout" : "refused", reason: "no way" }),
        fetch: () =>
          Promise.resolve(
            new Response(policy ?? null, { status: policy === undefined ? 404 : 200 }),
          ),
      });
      const signal = AbortSignal.timeout(10_000);
      const { checks } = await preflight.check("example.net", { signal });
      return new Map(checks.map((check) => [check.name, check]));
    },
    async [Symbol.asyncDispose]() {
      resolver[Symbol.dispose]();
      await dns[Symbol.asyncDispose]();
    },
  };
}

function verdicts(checks: ReadonlyMap<string, PreflightCheck>): Record<string, string> {
  return Object.fromEntries([...checks].map(([name, { verdict }]) => [name, verdict]));
}

Deno.test("a domain without any record gets each one to add", async () => {
  await using setup = await setUp();
  const checks = await setup.check();
  assertEquals(verdicts(checks), {
    spf: "fail",
    dkim: "warning",
    dmarc: "fail",
    reverse_dns: "fail",
    port_25: "unknown",
    mta_sts: "warning",
    tls_rpt: "warning",
  });
  assertEquals(checks.get("spf")?.records, [
    { name: "example.net", type: "TXT", value: `v=spf1 ip4:${ADDRESS} ~all` },
  ]);
  assertEquals(checks.get("reverse_dns")?.records, [
    { name: REVERSE, type: "PTR", value: "relay.example.net" },
  ]);
});

Deno.test("a domain with all records passes", async () => {
  await using setup = await setUp();
  const { dns } = setup;
  dns.add("example.net", "TXT", ["v=spf1 include:_spf.example.net -all"]);
  dns.add("_spf.example.net", "TXT", ["v=spf1 ip4:192.0.2.0/28 ?all"]);
  dns.add("s1._domainkey.example.net", "TXT", ["v=DKIM1; k=rsa; p=MIIB"]);
  dns.add("_dmarc.example.net", "TXT", ["v=DMARC1; p=reject; rua=mailto:d@example.net"]);
  dns.add(REVERSE, "PTR", ["relay.example.net"]);
  dns.add("_mta-sts.example.net", "TXT", ["v=STSv1; id=20251123"]);
  dns.add("_smtp._tls.example.net", "TXT", ["v=TLSRPTv1; rua=mailto:t@example.net"]);
  const checks = await setup.check({
    policy: "version: STSv1\nmode: enforce\nmax_age: 86400\nmx: *.example.net\n",
  });
  assertEquals(verdicts(checks), {
    spf: "pass",
    dkim: "pass",
    dmarc: "pass",
    reverse_dns: "pass",
    port_25: "unknown",
    mta_sts: "pass",
    tls_rpt: "pass",
  });
});

const PEM = generateKey({ type: "rsa" });
const KEY = { domain: "example.net", selector: "own", key: PEM, from: null };
const SELECTOR_NAME = "own._domainkey.example.net";

function recordOf(pem: string): string {
  const read = readKey(pem);
  if (read.kind === "problem") throw new Error(read.reason);
  return recordValue(read.key);
}

Deno.test("the keys that the relay signs with are held against their records", async () => {
  await using setup = await setUp();
  const missing = (await setup.check({ dkim: [KEY] })).get("dkim");
  assertEquals(missing?.verdict, "fail");
  assertEquals(missing?.found, [`${SELECTOR_NAME} (rsa-sha256): There is no such record`]);
  assertEquals(missing?.records, [{ name: SELECTOR_NAME, type: "TXT", value: recordOf(PEM) }]);
  setup.dns.add(SELECTOR_NAME, "TXT", [recordOf(PEM).match(/.{1,255}/g) ?? []]);
  setup.resolver.clear();
  assertEquals((await setup.check({ dkim: [KEY] })).get("dkim")?.verdict, "pass");
  const changed = { ...KEY, key: generateKey({ type: "rsa" }) };
  const other = (await setup.check({ dkim: [changed] })).get("dkim");
  assertEquals(other?.verdict, "fail");
  assertEquals(other?.records[0]?.value, recordOf(changed.key));
});

Deno.test("a signature of another domain does not help with DMARC", async () => {
  await using setup = await setUp();
  setup.dns.add("own._domainkey.provider.test", "TXT", [recordOf(PEM).match(/.{1,255}/g) ?? []]);
  const foreign = { ...KEY, domain: "provider.test", from: ["example.net"] };
  const dkim = (await setup.check({ dkim: [foreign] })).get("dkim");
  assertEquals(dkim?.verdict, "warning");
  assertStringIncludes(dkim?.detail ?? "", "DMARC");
});

Deno.test("the key that the relay seals with is checked at its domain", async () => {
  await using setup = await setUp();
  const arc = { domain: "example.net", selector: "own", key: PEM, listeners: null, trusted: false };
  const check = (await setup.check({ arc })).get("arc");
  assertEquals([check?.verdict, check?.records[0]?.name], ["fail", SELECTOR_NAME]);
  const elsewhere = { ...arc, domain: "example.org" };
  assertEquals((await setup.check({ arc: elsewhere })).has("arc"), false);
});

Deno.test("an SPF record that leaves the relay out is given back with it", async () => {
  await using setup = await setUp();
  setup.dns.add("example.net", "TXT", ["v=spf1 mx -all"]);
  const spf = (await setup.check()).get("spf");
  assertEquals(spf?.verdict, "fail");
  assertEquals(spf?.records[0]?.value, `v=spf1 ip4:${ADDRESS} mx -all`);
});

Deno.test("a DMARC policy of a top-level domain is not taken", async () => {
  await using setup = await setUp();
  setup.dns.add("_dmarc.net", "TXT", ["v=DMARC1; p=none"]);
  const dmarc = (await setup.check()).get("dmarc");
  assertEquals(dmarc?.verdict, "fail"); // a top-level domain speaks for nobody
});

Deno.test("port 25 that does not answer is told apart from a domain without a server", async () => {
  await using setup = await setUp();
  setup.dns.add("example.net", "MX", [{ preference: 10, exchange: "mx.example.net" }]);
  setup.dns.add("mx.example.net", "A", ["192.0.2.25"]);
  const port25 = (await setup.check({ refusesDial: true })).get("port_25");
  assertEquals(port25?.verdict, "fail");
  assertMatch(port25?.detail ?? "", /mx\.example\.net\[192\.0\.2\.25\]:25 is not reachable/);
});

Deno.test("an MTA-STS policy that misses a mail server is a failure", async () => {
  await using setup = await setUp();
  setup.dns.add("example.net", "MX", [{ preference: 10, exchange: "mx.other.example" }]);
  setup.dns.add("_mta-sts.example.net", "TXT", ["v=STSv1; id=1"]);
  const policy = "version: STSv1\nmode: enforce\nmax_age: 86400\nmx: *.example.net\n";
  const sts = (await setup.check({ policy })).get("mta_sts");
  assertEquals(sts?.verdict, "fail");
  assertStringIncludes(sts?.detail ?? "", "mx.other.example");
});

Deno.test("a DNS that does not answer makes nothing right or wrong", async () => {
  await using setup = await setUp();
  for (const name of ["example.net", "_dmarc.example.net", "_smtp._tls.example.net"]) {
    setup.dns.misbehave(name, "SERVFAIL");
  }
  const checks = await setup.check();
  for (const name of ["spf", "dmarc", "tls_rpt"]) {
    assertEquals(checks.get(name)?.verdict, "unknown", name);
  }
});

const SPF_CASES: readonly [record: string, expected: string][] = [
  ["v=spf1 -all", "fail"],
  ["v=spf1 ~all", "softfail"],
  ["v=spf1", "neutral"],
  ["v=spf1 ip4:192.0.2.10 -all", "pass"],
  ["v=spf1 ip4:192.0.2.77/24 -all", "pass"],
  ["v=spf1 ip6:2001:db8::/32 -all", "fail"],
  ["v=spf1 a:relay.example.net -all", "pass"],
  ["v=spf1 mx -all", "pass"],
  ["v=spf1 a:nowhere.example.net/24 -all", "fail"],
  ["v=spf1 redirect=other.example", "pass"],
  ["v=spf1 include:nothing.example -all", "permerror"],
  ["v=spf1 exists:%{i}.example.net -all", "fail"],
  ["v=spf1 exists:%{ir}.%{l}._spf.%{d} -all", "pass"],
  ["v=spf1 include:%{d1r}.example -all", "permerror"],
  ["v=spf1 redirect=%{x}.example", "permerror"],
  ["v=spf1 bogus:x -all", "permerror"],
  [`v=spf1 ${"a:other.example.net ".repeat(11)}-all`, "permerror"],
  ["v=spf1 a:no1.example a:no2.example -all", "fail"],
  ["v=spf1 a:no1.example exists:no2.example a:no3.example -all", "permerror"],
];

for (const [record, expected] of SPF_CASES) {
  Deno.test(`SPF: ${record.slice(0, 50)} is ${expected}`, async () => {
    await using setup = await setUp();
    const { dns, resolver } = setup;
    dns.add("example.net", "TXT", [record]);
    dns.add("example.net", "MX", [{ preference: 1, exchange: "relay.example.net" }]);
    dns.add("other.example.net", "A", ["192.0.2.200"]);
    dns.add("other.example", "TXT", ["v=spf1 ip4:192.0.2.0/24 -all"]);
    dns.add("10.2.0.192.postmaster._spf.example.net", "A", ["127.0.0.2"]);
    const { result } = await evaluateSpf(resolver, { domain: "example.net", address: ADDRESS });
    assertEquals(result, expected);
  });
}

const BOUNCES = { ...NO_BOUNCES, domains: ["bounces.example.net"] };

Deno.test("a domain of return addresses without records gets each one to add", async () => {
  await using setup = await setUp();
  const checks = await setup.check({ bounces: BOUNCES });
  assertEquals(checks.get("return_mx")?.verdict, "fail");
  assertEquals(checks.get("return_mx")?.records, [
    { name: "bounces.example.net", type: "MX", value: "10 relay.example.net" },
  ]);
  assertEquals(checks.get("return_spf")?.records, [
    { name: "bounces.example.net", type: "TXT", value: `v=spf1 ip4:${ADDRESS} ~all` },
  ]);
});

Deno.test("a domain of return addresses leads back to the relay, by name or by address", async () => {
  const verdict = async (exchange: string, address: string): Promise<string | undefined> => {
    await using setup = await setUp();
    setup.dns.add("bounces.example.net", "MX", [{ preference: 10, exchange }]);
    setup.dns.add("mail.example.net", "A", [address]);
    return (await setup.check({ bounces: BOUNCES })).get("return_mx")?.verdict;
  };
  assertEquals(await verdict("relay.example.net", "192.0.2.99"), "pass");
  assertEquals(await verdict("mail.example.net", ADDRESS), "pass");
  assertEquals(await verdict("mail.example.net", "192.0.2.99"), "warning");
});
