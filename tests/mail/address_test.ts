import { assertEquals } from "@std/assert";
import { parseDomain, parseMailbox } from "../../src/mail/address.ts";

const LOCAL_64 = "l".repeat(64);
const LABEL_63 = "d".repeat(63);

const GOOD: readonly [text: string, localPart: string, domain: string][] = [
  ["a@b", "a", "b"],
  ["Smith@Bar.COM", "Smith", "bar.com"],
  ["a.b.c@example.com", "a.b.c", "example.com"],
  ["!#$%&'*+-/=?^_`{|}~@example.com", "!#$%&'*+-/=?^_`{|}~", "example.com"],
  ["a@1.example", "a", "1.example"],
  ["a@x--y.example", "a", "x--y.example"],
  ["a@host_name.example", "a", "host_name.example"],
  ['"a b"@example.com', "a b", "example.com"],
  ['""@example.com', "", "example.com"],
  ['"a\\"b\\\\c\\d"@example.com', 'a"b\\cd', "example.com"],
  ['"a@b>c"@example.com', "a@b>c", "example.com"],
  ["a@[192.0.2.1]", "a", "[192.0.2.1]"],
  ["a@[IPv6:2001:DB8::1]", "a", "[IPv6:2001:db8::1]"],
  ["a@[ipv6:::ffff:192.0.2.1]", "a", "[IPv6:::ffff:192.0.2.1]"],
  ["a@[X-tag:some.thing!]", "a", "[X-tag:some.thing!]"],
  // RFC 6531 3.2, 3.3: U-labels become A-labels, local parts stay as they are
  ["grüße@bücher.example", "grüße", "xn--bcher-kva.example"],
  ["用户@例子.example", "用户", "xn--fsqu00a.example"],
  ['"ü b"@example.com', "ü b", "example.com"],
  ["a@BÜCHER.Example", "a", "xn--bcher-kva.example"],
  ["a@faß.example", "a", "xn--fa-hia.example"],
  [`${LOCAL_64}@example.com`, LOCAL_64, "example.com"],
  [`a@${LABEL_63}.example`, "a", `${LABEL_63}.example`],
];

for (const [text, localPart, domain] of GOOD) {
  Deno.test(`mailbox: ${text}`, () => {
    assertEquals(parseMailbox(text), { kind: "ok", mailbox: { localPart, domain, text } });
  });
}

const BAD: readonly [text: string, at: number, reason: string][] = [
  ["", 0, "expected a local part"],
  ["a", 1, "expected @"],
  ["@example.com", 0, "expected a local part"],
  ["a@", 2, "expected a domain"],
  ["a b@example.com", 1, "expected @"],
  [".a@example.com", 0, "expected a local part"],
  ["a.@example.com", 2, "expected an atom after the dot"],
  ["a..b@example.com", 2, "expected an atom after the dot"],
  ["a@b@c", 3, "unexpected character"],
  ["a(comment)@example.com", 1, "expected @"],
  ["<a@example.com>", 0, "expected a local part"],
  ['"a@example.com', 14, "unfinished quoted string"],
  ['"a\\', 3, "unfinished quoted string"],
  ['"a\tb"@example.com', 2, "character not allowed in a quoted string"],
  ['"a"b@example.com', 3, "expected @"],
  ["a@.example", 2, "empty label in domain"],
  ["a@example..com", 2, "empty label in domain"],
  ["a@example.com.", 2, "empty label in domain"],
  ["a@-a.example", 2, "bad label in domain"],
  ["a@a-.example", 2, "bad label in domain"],
  ["a@exa mple", 5, "unexpected character"],
  ["a@[192.0.2]", 2, "bad address literal"],
  ["a@[192.0.2.256]", 2, "bad address literal"],
  ["a@[192.0.2.01]", 2, "bad address literal"],
  ["a@[192.0.2.1", 12, "unfinished address literal"],
  ["a@[2001:db8::1]", 2, "bad address literal"],
  ["a@[IPv6:2001:db8::1::2]", 2, "bad address literal"],
  ["a@[IPv6:12345::]", 2, "bad address literal"],
  ["a@[tag:]", 2, "bad address literal"],
  ["a@[]", 2, "bad address literal"],
  ["a@[192.0.2.1]x", 13, "unexpected character"],
  ["a\u0085@example.com", 1, "expected @"],
  ["a\ufffd@example.com", 1, "expected @"],
  ["a@\u2060.example", 2, "empty label in domain"],
  [`${"l".repeat(256)}@example.com`, 0, "local part too long"],
  [`${"ü".repeat(128)}@example.com`, 0, "local part too long"],
  [`a@${LABEL_63}d.example`, 2, "label too long in domain"],
  [`a@${"d.".repeat(128)}d`, 2, "domain too long"],
  ["a\uff20b@example.com", 0, "character that others read as another"], // full-width @
  ["a\ufe6ab@example.com", 0, "character that others read as another"], // small %
  ["a\uff01b@example.com", 0, "character that others read as another"], // full-width !
  ['"a\ufe6bb"@example.com', 0, "character that others read as another"], // small @
  ["a\u2100b@example.com", 0, "character that others read as another"], // a/c
];

for (const [text, at, reason] of BAD) {
  Deno.test(`mailbox: refuses ${JSON.stringify(text.slice(0, 40))} (${reason})`, () => {
    assertEquals(parseMailbox(text), { kind: "error", at, reason });
  });
}

Deno.test("domain: names and literals, nothing around them", () => {
  assertEquals(parseDomain("Relay.Example"), "relay.example");
  assertEquals(parseDomain("[192.0.2.1]"), "[192.0.2.1]");
  for (const text of ["", "a b", "a@b", "a.", "[1]", "(a)"]) assertEquals(parseDomain(text), null);
});
