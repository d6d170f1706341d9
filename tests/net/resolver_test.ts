import { Buffer } from "node:buffer";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { createResolver, type Resolver, type ResolverOptions } from "../../src/net/resolver.ts";
import { systemClock } from "../../src/base/clock.ts";
import { type DnsServer, startDnsServer } from "../support/dns_server.ts";

function resolverFor(dns: DnsServer, options: ResolverOptions = {}): Resolver {
  return createResolver({ servers: [dns.address], timeoutMs: 2000, hosts: new Map(), ...options });
}

Deno.test("each record type arrives in its form", async () => {
  await using dns = await startDnsServer();
  dns.add("example.org", "MX", [
    { preference: 20, exchange: "mx2.example.org" },
    { preference: 10, exchange: "MX1.example.org" },
  ]);
  dns.add("example.org", "TXT", [["v=spf1 ", "-all"]]);
  const certificate = new Uint8Array(32).fill(9);
  dns.add("_25._tcp.mx1.example.org", "TLSA", [
    // dns-packet wants a Buffer
    { usage: 3, selector: 1, matchingType: 1, certificate: Buffer.from(certificate) },
  ]);
  dns.add("_submission._tcp.example.org", "SRV", [
    { priority: 1, weight: 2, port: 587, target: "mail.example.org" },
  ]);
  dns.add("1.2.0.192.in-addr.arpa", "PTR", ["host.example.org"]);
  dns.add("alias.example.org", "CNAME", ["example.org"]);
  using resolver = resolverFor(dns);

  assertEquals(await resolver.mx("Example.ORG."), {
    kind: "found",
    records: [
      { preference: 10, exchange: "mx1.example.org" },
      { preference: 20, exchange: "mx2.example.org" },
    ],
    ttlMs: 300_000,
    authentic: false,
    canonicalName: "example.org",
  });
  const records = async (result: ReturnType<Resolver["txt" | "tlsa" | "srv"]>) => {
    const answer = await result;
    assert(answer.kind === "found");
    return answer.records;
  };
  assertEquals(await records(resolver.txt("example.org")), ["v=spf1 -all"]);
  assertEquals(await records(resolver.tlsa("_25._tcp.mx1.example.org")), [
    { usage: 3, selector: 1, matchingType: 1, data: certificate },
  ]);
  assertEquals(await records(resolver.srv("_submission._tcp.example.org")), [
    { priority: 1, weight: 2, port: 587, target: "mail.example.org" },
  ]);
  assertEquals(await records(resolver.ptr("192.0.2.1")), ["host.example.org"]);
  assertEquals(await records(resolver.cname("alias.example.org")), ["example.org"]);
});

Deno.test("addresses of both families are joined, whatever becomes of the other family", async () => {
  await using dns = await startDnsServer();
  dns.add("both.test", "A", ["192.0.2.1", "192.0.2.2"]);
  dns.add("both.test", "AAAA", ["2001:db8::1"]);
  dns.add("four.test", "A", ["192.0.2.1"]);
  dns.add("neither.test", "TXT", ["x"]);
  using resolver = resolverFor(dns);
  const both = await resolver.addresses("both.test");
  assert(both.kind === "found");
  assertEquals(both.records, [
    { address: "2001:db8::1", family: 6 },
    { address: "192.0.2.1", family: 4 },
    { address: "192.0.2.2", family: 4 },
  ]);
  const four = await resolver.addresses("four.test");
  assertEquals(four.kind === "found" && four.records, [{ address: "192.0.2.1", family: 4 }]);
  assertEquals((await resolver.addresses("neither.test")).kind, "none");
  assertEquals((await resolver.addresses("missing.test")).kind, "nonexistent");
});

Deno.test("aliases are followed and the end of the chain is told", async () => {
  await using dns = await startDnsServer();
  dns.add("www.test", "CNAME", ["a.test"], { ttlSeconds: 20 });
  dns.add("a.test", "CNAME", ["b.test"]);
  dns.add("b.test", "A", ["192.0.2.7"]);
  dns.add("loop.test", "CNAME", ["loop.test"]);
  using resolver = resolverFor(dns);
  const result = await resolver.addresses("www.test");
  assert(result.kind === "found");
  assertEquals(result.canonicalName, "b.test");
  assertEquals(result.ttlMs, 20_000);
  assertEquals((await resolver.addresses("loop.test")).kind, "none");
});

Deno.test("failures are told apart", async () => {
  await using dns = await startDnsServer();
  dns.misbehave("servfail.test", "SERVFAIL");
  dns.misbehave("refused.test", "REFUSED");
  dns.misbehave("garbage.test", "garbage");
  dns.misbehave("silent.test", "silence");
  using resolver = resolverFor(dns, { timeoutMs: 50, attempts: 2 });
  assertEquals(await resolver.mx("servfail.test"), { kind: "temporary", reason: "server_failure" });
  assertEquals(await resolver.mx("refused.test"), { kind: "temporary", reason: "refused" });
  assertEquals(await resolver.mx("garbage.test"), { kind: "temporary", reason: "malformed" });
  assertEquals(await resolver.mx("silent.test"), { kind: "temporary", reason: "timeout" });
  assertEquals(dns.queries.filter((query) => query === "MX silent.test").length, 2);
  assertEquals((await resolver.mx("missing.test")).kind, "nonexistent");
});

Deno.test("a lost answer is asked for again and a truncated one over TCP", async () => {
  await using dns = await startDnsServer();
  const strings = Array.from({ length: 40 }, (_, index) => `${index}`.padStart(100, "."));
  dns.add("long.test", "TXT", strings);
  dns.misbehave("long.test", "truncation");
  dns.add("lossy.test", "TXT", ["here"]);
  dns.misbehave("lossy.test", "silence_once");
  using resolver = resolverFor(dns, { timeoutMs: 200 });
  const long = await resolver.txt("long.test");
  assertEquals(long.kind === "found" && long.records, strings);
  assertEquals((await resolver.txt("lossy.test")).kind, "found");
});

Deno.test("a server without EDNS is asked without it", async () => {
  await using dns = await startDnsServer();
  dns.add("old.test", "TXT", ["here"]);
  dns.misbehave("old.test", "no_edns");
  using resolver = resolverFor(dns);
  assertEquals((await resolver.txt("old.test")).kind, "found");
});

Deno.test("the next server is asked when one fails, and stays the first", async () => {
  await using broken = await startDnsServer();
  await using dns = await startDnsServer();
  for (const name of ["one.test", "two.test"]) {
    broken.misbehave(name, "SERVFAIL");
    dns.add(name, "TXT", ["here"]);
  }
  using resolver = resolverFor(dns, { servers: [broken.address, dns.address] });
  assertEquals((await resolver.txt("one.test")).kind, "found");
  assertEquals((await resolver.txt("two.test")).kind, "found");
  assertEquals(broken.queries.length, 1);
});

Deno.test("answers are kept for their time, found or not", async () => {
  await using dns = await startDnsServer();
  dns.add("short.test", "TXT", ["here"], { ttlSeconds: 10 });
  let nowMs = 0;
  const clock = { ...systemClock, monotonic: () => nowMs };
  using resolver = resolverFor(dns, { clock });
  await resolver.txt("short.test");
  await resolver.txt("missing.test");
  nowMs = 9_999;
  const kept = await resolver.txt("short.test");
  assertEquals(kept.kind === "found" && kept.ttlMs, 1);
  assertEquals((await resolver.txt("missing.test")).kind, "nonexistent");
  assertEquals(dns.queries.length, 2);
  nowMs = 10_000;
  await resolver.txt("short.test");
  assertEquals(dns.queries.length, 3);
  nowMs = 60_000; // the SOA's MINIMUM, RFC 2308 section 5
  await resolver.txt("missing.test");
  assertEquals(dns.queries.length, 4);
});

Deno.test("identical questions at the same time are one question", async () => {
  await using dns = await startDnsServer();
  dns.add("busy.test", "TXT", ["here"]);
  using resolver = resolverFor(dns);
  await Promise.all(Array.from({ length: 20 }, () => resolver.txt("busy.test")));
  assertEquals(dns.queries.length, 1);
});

Deno.test("the cache holds no more than it may", async () => {
  await using dns = await startDnsServer();
  for (const name of ["a.test", "b.test", "c.test"]) dns.add(name, "TXT", ["here"]);
  using resolver = resolverFor(dns, { maxCacheEntries: 2 });
  for (const name of ["a.test", "b.test", "a.test", "c.test", "a.test"]) await resolver.txt(name);
  assertEquals(dns.queries.length, 3);
  await resolver.txt("b.test");
  assertEquals(dns.queries.length, 4);
});

Deno.test("an answer is authentic when a trusted server says so", async () => {
  await using dns = await startDnsServer();
  dns.authentic = true;
  dns.add("signed.test", "TXT", ["here"]);
  using trusting = resolverFor(dns); // on loopback
  using doubting = resolverFor(dns, { trustAd: false });
  const trusted = await trusting.txt("signed.test");
  assertEquals(trusted.kind === "found" && trusted.authentic, true);
  const doubted = await doubting.txt("signed.test");
  assertEquals(doubted.kind === "found" && doubted.authentic, false);
  const absent = await trusting.txt("missing.test");
  assertEquals(absent.kind === "nonexistent" && absent.authentic, true);
});

Deno.test("some names are known without asking", async () => {
  await using dns = await startDnsServer();
  using resolver = resolverFor(dns, { hosts: new Map([["relay", ["192.0.2.25"]]]) });
  const addressesOf = async (host: string): Promise<readonly string[]> => {
    const result = await resolver.addresses(host);
    return result.kind === "found" ? result.records.map(({ address }) => address) : [];
  };
  assertEquals(await addressesOf("Relay"), ["192.0.2.25"]);
  assertEquals(await addressesOf("localhost"), ["127.0.0.1", "::1"]);
  assertEquals(await addressesOf("192.0.2.1"), ["192.0.2.1"]);
  assertEquals(await addressesOf("2001:db8::1"), ["2001:db8::1"]);
  assertEquals(dns.queries.length, 0);
});

Deno.test("names that cannot be are not asked; others are asked as A-labels", async () => {
  await using dns = await startDnsServer();
  dns.add("xn--mnchen-3ya.test", "TXT", ["here"]);
  using resolver = resolverFor(dns);
  for (const name of ["", ".", "a..test", "a".repeat(64), "a.".repeat(127) + "test"]) {
    assertEquals((await resolver.mx(name)).kind, "nonexistent", name);
  }
  assertEquals((await resolver.ptr("not an address")).kind, "nonexistent");
  assertEquals(dns.queries.length, 0);
  assertEquals((await resolver.txt("München.test")).kind, "found");
});

Deno.test("closing ends the questions in flight", async () => {
  await using dns = await startDnsServer();
  dns.misbehave("silent.test", "silence");
  const resolver = resolverFor(dns, { timeoutMs: 60_000 });
  const asking = resolver.mx("silent.test");
  resolver[Symbol.dispose]();
  assertEquals(await asking, { kind: "temporary", reason: "closed" });
});

Deno.test("a server that is no address is refused", () => {
  assertThrows(() => createResolver({ servers: ["dns.example.org"] }), Error, "dns.example.org");
});
