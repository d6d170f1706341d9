/** Attributes of XCLIENT and XFORWARD, and what they make of a client. */
import { assertEquals } from "@std/assert";
import {
  ATTRIBUTE_CHECKS,
  type AttributeName,
  claimOf,
  type ClientClaim,
  parseAttributes,
} from "../../../src/smtp/server/client_claim.ts";

const ALL = Object.keys(ATTRIBUTE_CHECKS) as AttributeName[];

/** The attributes as pairs, or the reason. */
function parsed(text: string, allowed = ALL): unknown {
  const result = parseAttributes(text, allowed);
  return result.kind === "ok" ? [...result.attributes] : result.reason;
}

function claimed(text: string, earlier: ClientClaim = {}): ClientClaim | string {
  const result = parseAttributes(text, ALL);
  return result.kind === "ok" ? claimOf(result.attributes, earlier) : result.reason;
}

const TEXTS: readonly (readonly [string, unknown])[] = [
  ["NAME=a.test  addr=192.0.2.1", [["NAME", "a.test"], ["ADDR", "192.0.2.1"]]],
  ["ADDR=IPV6:2001:db8::1", [["ADDR", "IPV6:2001:db8::1"]]],
  ["NAME=[UNAVAILABLE] LOGIN=[tempunavail]", [["NAME", null], ["LOGIN", null]]],
  ["NAME=a+2Bb", [["NAME", "a+b"]]],
  ["NAME=a=b", [["NAME", "a=b"]]],
  ["PORT=0", [["PORT", "0"]]],
  ["PORT=65535", [["PORT", "65535"]]],
  ["PROTO=esmtp", [["PROTO", "esmtp"]]],
  ["SOURCE=Local", [["SOURCE", "Local"]]],
  [`NAME=${"x".repeat(255)}`, [["NAME", "x".repeat(255)]]],
  [`NAME=${"x".repeat(256)}`, "Bad value of NAME"],
  ["PORT=65536", "Bad value of PORT"],
  ["PORT=123456", "Bad value of PORT"],
  ["PORT=x", "Bad value of PORT"],
  ["ADDR=example.com", "Bad value of ADDR"],
  ["PROTO=lmtp", "Bad value of PROTO"],
  ["SOURCE=here", "Bad value of SOURCE"],
  ["NAME=", "Bad value of NAME"],
  ["NAME=a+20b", "Bad value of NAME"],
  ["NAME=a+7Fb", "Bad value of NAME"],
  ["WHAT=x", "Attribute not recognized"],
  ["NAME", "Attribute not recognized"],
  ["", "Expected attributes"],
  ["   ", "Expected attributes"],
];

for (const [text, expected] of TEXTS) {
  Deno.test(`client claim: ${JSON.stringify(text.slice(0, 40))}`, () => {
    assertEquals(parsed(text), expected);
  });
}

Deno.test("client claim: only what is allowed there is an attribute", () => {
  assertEquals(parsed("LOGIN=x", ["NAME"]), "Attribute not recognized");
});

Deno.test("client claim: each attribute is of the client", () => {
  assertEquals(claimed("ADDR=192.0.2.1 PORT=25 LOGIN=ada HELO=a.test PROTO=SMTP"), {
    ...{ address: "192.0.2.1", port: 25, login: "ada" },
    greeting: { helo: "a.test", esmtp: false },
  });
  assertEquals(claimed("ADDR=IPV6:2001:db8::1"), { address: "2001:db8::1" });
  assertEquals(claimed("HELO=a.test"), { greeting: { helo: "a.test", esmtp: true } });
  assertEquals(claimed("HELO=a.test PROTO=ESMTP"), { greeting: { helo: "a.test", esmtp: true } });
});

Deno.test("client claim: what is not known says nothing, but that nobody is logged in", () => {
  assertEquals(claimed("ADDR=[UNAVAILABLE] PORT=[UNAVAILABLE] LOGIN=[UNAVAILABLE]"), {
    ...{ login: null },
  });
  assertEquals(claimed("PROTO=SMTP"), {}, "no greeting without a name");
});

Deno.test("client claim: a new address is a new client, all else adds to the one there was", () => {
  const earlier: ClientClaim = {
    ...{ address: "192.0.2.1", port: 25, login: "ada" },
    greeting: { helo: "a.test", esmtp: false },
  };
  assertEquals(claimed("ADDR=192.0.2.2", earlier), { address: "192.0.2.2" });
  assertEquals(claimed("PORT=26", earlier), { ...earlier, port: 26 });
  assertEquals(claimed("LOGIN=bob", earlier), { ...earlier, login: "bob" });
  assertEquals(claimed("HELO=b.test", earlier), {
    ...{ ...earlier, greeting: { helo: "b.test", esmtp: false } },
  });
  assertEquals(claimed("PROTO=ESMTP", earlier), {
    ...{ ...earlier, greeting: { helo: "a.test", esmtp: true } },
  });
});
