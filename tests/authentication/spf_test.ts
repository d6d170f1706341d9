/** What the public suite of SPF does not try. */
import { assertEquals } from "@std/assert";
import { evaluateSpf, type SpfResolver } from "../../src/authentication/spf.ts";
import { parseSpfRecord } from "../../src/authentication/spf_record.ts";
import type { DnsResult } from "../../src/net/resolver.ts";

const facts = { ttlMs: 1000, authentic: false } as const;

/** A DNS that knows one record, its exchangers, and no address but `known`. */
function dnsOf(
  { record, exchangers = [], known = "" }: {
    record: string;
    exchangers?: readonly string[];
    known?: string;
  },
): SpfResolver & { readonly asked: string[] } {
  const asked: string[] = [];
  const answer = <Data>(
    question: string,
    records: readonly Data[],
  ): Promise<DnsResult<Data>> => {
    asked.push(question);
    return Promise.resolve(
      records.length === 0
        ? { kind: "none", ...facts }
        : { kind: "found", records, canonicalName: question, ...facts },
    );
  };
  return {
    asked,
    txt: (name) => answer(`TXT ${name}`, name === "source.test" ? [record] : []),
    a: (name) => answer(`A ${name}`, name === known ? ["192.0.2.1"] : []),
    aaaa: (name) => answer(`AAAA ${name}`, name === known ? ["2001:db8::1"] : []),
    mx: (name) => answer(`MX ${name}`, exchangers.map((exchange) => ({ preference: 1, exchange }))),
    ptr: (address) => answer(`PTR ${address}`, []),
  };
}

const QUESTION = { domain: "source.test", address: "2001:db8::1", sender: "a@source.test" };

Deno.test("SPF: exchangers without an address of the client's family are no names in vain", async () => {
  const exchangers = ["mx1.test", "mx2.test", "mx3.test", "mx4.test"];
  const dns = dnsOf({ record: "v=spf1 mx -all", exchangers, known: "mx4.test" });
  assertEquals((await evaluateSpf(dns, QUESTION)).result, "pass");
});

Deno.test("SPF: says which mechanism decided, or what is wrong", async () => {
  const reason = async (record: string): Promise<string> =>
    (await evaluateSpf(dnsOf({ record }), QUESTION)).reason;
  assertEquals(await reason("v=spf1 ip6:2001:db8::/32 -all"), "ip6:2001:db8::/32");
  assertEquals(await reason("v=spf1 ip4:192.0.2.1"), "nothing matches");
  assertEquals(
    await reason("v=spf1 ipv4:192.0.2.1"),
    "source.test: ipv4:192.0.2.1 is no mechanism",
  );
  assertEquals(await reason("v=spf1 include:other.test"), "include: other.test has no record");
  assertEquals(await reason("v=spf1 a:x.test a:y.test a:z.test"), "more than 2 names lead nowhere");
});

Deno.test("SPF: a record that needs too much asks for no more", async () => {
  const dns = dnsOf({ record: `v=spf1 ${"exists:mx.test ".repeat(50)}-all`, known: "none.test" });
  assertEquals((await evaluateSpf(dns, QUESTION)).result, "permerror");
  assertEquals(dns.asked.length, 4);
  const loop = dnsOf({ record: "v=spf1 include:source.test -all" });
  assertEquals((await evaluateSpf(loop, QUESTION)).result, "permerror");
  assertEquals(loop.asked.length, 11);
});

Deno.test("SPF: records of any size and kind are read in one pass", () => {
  const hostile = [
    `a:${"1".repeat(60_000)}.${"a-".repeat(30_000)}`,
    `exists:${"%{d1r.}".repeat(8_000)}x`,
    `a:${".1".repeat(30_000)}!`,
    `x=${"%%".repeat(30_000)}%`,
    `ip4:${"1.".repeat(30_000)}/`,
    `a${"/".repeat(60_000)}`,
  ];
  for (const term of hostile) {
    assertEquals(parseSpfRecord(`v=spf1 ${term}`).kind, "error", term.slice(0, 20));
  }
});
