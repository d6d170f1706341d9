import { assertEquals } from "@std/assert";
import { expandName } from "../../src/authentication/spf_macros.ts";

const FACTS = {
  sender: "strong-bad@email.example.com",
  domain: "email.example.com",
  address: "192.0.2.3",
  helo: "mail.example.com",
  clientName: "mx.example.org",
  receiver: "relay.test",
  nowMs: 1000,
};

/** The examples of RFC 7208 section 7.4. */
const EXAMPLES: readonly [string, string | null][] = [
  ["%{s}", "strong-bad@email.example.com"],
  ["%{o}", "email.example.com"],
  ["%{d}", "email.example.com"],
  ["%{d4}", "email.example.com"],
  ["%{d3}", "email.example.com"],
  ["%{d2}", "example.com"],
  ["%{d1}", "com"],
  ["%{dr}", "com.example.email"],
  ["%{d2r}", "example.email"],
  ["%{l}", "strong-bad"],
  ["%{l-}", "strong.bad"],
  ["%{lr}", "strong-bad"],
  ["%{lr-}", "bad.strong"],
  ["%{l1r-}", "strong"],
  ["%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com"],
  ["%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com"],
  [
    "%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}",
    "3.2.0.192.in-addr.strong.lp._spf.example.com",
  ],
  ["%{d2}.trusted-domains.example.net", "example.com.trusted-domains.example.net"],
  ["%{p}.%{H}", "mx.example.org.mail.example.com"],
  ["%{h}%%%_%-", "mail.example.com% %20"],
  ["%{S}", "strong-bad%40email.example.com"],
  ["%{c}", null],
  ["%{x}", null],
  ["%{d0}", null],
  ["%{d", null],
  ["50%", null],
];

for (const [text, expected] of EXAMPLES) {
  Deno.test(`SPF macros: ${text}`, () => assertEquals(expandName(text, FACTS), expected));
}

Deno.test("SPF macros: an IPv6 address is its nibbles", () => {
  const address = "2001:db8::cb01";
  assertEquals(
    expandName("%{ir}.%{v}._spf.%{d2}", { ...FACTS, address }),
    "1.0.B.C.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.B.D.0.1.0.0.2.ip6._spf.example.com",
  );
});

Deno.test("SPF macros: a long name loses labels on the left", () => {
  const name = expandName("%{l}.%{d}", { ...FACTS, sender: `${"a.".repeat(200)}b@x.test` });
  assertEquals(name?.length, 253);
});
