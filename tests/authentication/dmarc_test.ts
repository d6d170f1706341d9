import { assertEquals } from "@std/assert";
import { type Authenticated, evaluateDmarc } from "../../src/authentication/dmarc.ts";
import type { DnsResult } from "../../src/net/resolver.ts";

const facts = { ttlMs: 1000, authentic: false } as const;

/** A DNS with these DMARC records and no others; `SERVFAIL` stands for no answer. */
function dnsOf(records: Readonly<Record<string, string>>) {
  const asked: string[] = [];
  return {
    asked,
    txt(name: string): Promise<DnsResult<string>> {
      asked.push(name);
      const value = records[name.replace(/^_dmarc\./, "")];
      if (value === undefined) return Promise.resolve({ kind: "nonexistent", ...facts });
      if (value === "SERVFAIL") {
        return Promise.resolve({ kind: "temporary", reason: "timeout" });
      }
      return Promise.resolve({
        ...{ kind: "found", records: value.split("|"), canonicalName: name, ...facts },
      });
    },
  };
}

const REJECT = "v=DMARC1; p=reject";

interface Case {
  readonly name: string;
  readonly records: Readonly<Record<string, string>>;
  readonly author?: string;
  /** `dkim=example.com`, `spf=example.com`. */
  readonly passed: readonly string[];
  /** Result and policy. */
  readonly expected: string;
}

const CASES: readonly Case[] = [
  { name: "no record", records: {}, passed: ["dkim=example.com"], expected: "none" },
  {
    ...{ name: "the domain itself", records: { "example.com": REJECT } },
    ...{ passed: ["dkim=example.com"], expected: "pass reject" },
  },
  {
    ...{ name: "nothing passed", records: { "example.com": REJECT } },
    ...{ passed: [], expected: "fail reject" },
  },
  {
    ...{ name: "another domain", records: { "example.com": REJECT } },
    ...{ passed: ["dkim=example.net", "spf=notexample.com"], expected: "fail reject" },
  },
  {
    ...{ name: "a domain below", records: { "example.com": REJECT } },
    ...{ passed: ["spf=bounces.example.com"], expected: "pass reject" },
  },
  {
    ...{ name: "a domain below, strictly", records: { "example.com": `${REJECT}; aspf=s` } },
    ...{ passed: ["spf=bounces.example.com"], expected: "fail reject" },
  },
  {
    ...{ name: "strict in the one, relaxed in the other" },
    ...{ records: { "example.com": `${REJECT}; aspf=s` } },
    ...{ passed: ["spf=b.example.com", "dkim=b.example.com"], expected: "pass reject" },
  },
  {
    ...{ name: "an author below, by the policy for those" },
    ...{ records: { "example.com": `${REJECT}; sp=quarantine` }, author: "news.example.com" },
    ...{ passed: ["dkim=shop.example.com"], expected: "pass quarantine" },
  },
  {
    ...{ name: "a parent without a record", records: { "news.example.com": REJECT } },
    ...{ author: "news.example.com", passed: ["dkim=example.com"], expected: "fail reject" },
  },
  {
    ...{ name: "an organization of its own", author: "a.example.com" },
    records: { "example.com": REJECT, "a.example.com": "v=DMARC1; p=none; psd=n" },
    ...{ passed: ["dkim=b.example.com"], expected: "fail none" },
  },
  {
    ...{ name: "a public suffix", author: "mail.one.gov" },
    records: { "gov": "v=DMARC1; p=reject; psd=y", "one.gov": "v=DMARC1; p=none" },
    ...{ passed: ["dkim=two.gov", "dkim=news.one.gov"], expected: "pass none" },
  },
  {
    ...{ name: "a neighbour below a public suffix", author: "mail.one.gov" },
    records: { "gov": "v=DMARC1; p=reject; psd=y", "one.gov": "v=DMARC1; p=none" },
    ...{ passed: ["dkim=two.gov"], expected: "fail none" },
  },
  {
    ...{ name: "two records", records: { "example.com": `${REJECT}|${REJECT}` } },
    ...{ passed: ["dkim=example.com"], expected: "none" },
  },
  {
    ...{ name: "no answer", records: { "example.com": "SERVFAIL" } },
    ...{ passed: ["dkim=example.com"], expected: "temperror" },
  },
];

function authenticated(text: string): Authenticated {
  const [method, domain = ""] = text.split("=");
  return { method: method === "spf" ? "spf" : "dkim", domain };
}

for (const { name, records, author = "example.com", passed, expected } of CASES) {
  Deno.test(`DMARC: ${name}`, async () => {
    const { result, properties } = await evaluateDmarc(dnsOf(records), {
      ...{ author, authenticated: passed.map(authenticated) },
    });
    const policy = properties.find(([key]) => key === "policy.dmarc")?.[1];
    assertEquals([result, ...policy === undefined ? [] : [policy]].join(" "), expected);
    assertEquals(properties[0], ["header.from", author]);
  });
}

Deno.test("DMARC: a long name is asked for eight times at most", async () => {
  const dns = dnsOf({});
  const author = "a.b.c.d.e.f.g.h.i.j.example.com";
  await evaluateDmarc(dns, { author, authenticated: [] });
  assertEquals(dns.asked.length, 8);
  assertEquals(dns.asked[1], "_dmarc.g.h.i.j.example.com".replace("_dmarc.g", "_dmarc.f.g"));
});
