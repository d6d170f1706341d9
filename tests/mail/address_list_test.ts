import { assertEquals } from "@std/assert";
import { addressLikeWords, parseAddressList } from "../../src/mail/address_list.ts";

const ONE_WAY: readonly [value: string, addresses: readonly string[]][] = [
  ["a@shop.example", ["a@shop.example"]],
  ["<a@shop.example>", ["a@shop.example"]],
  ["Ada <a@shop.example>", ["a@shop.example"]],
  ["Ada B. Lovelace <a@shop.example>", ["a@shop.example"]],
  ['"Lovelace, Ada" <a@shop.example>', ["a@shop.example"]],
  ['"Ada \\"the first\\"" <a@shop.example>', ["a@shop.example"]],
  ["=?utf-8?q?J=C3=B6rg?= <j@shop.example>", ["j@shop.example"]],
  ["Jörg Müller <j@shop.example>", ["j@shop.example"]],
  ["a@shop.example (Ada)", ["a@shop.example"]],
  ["root@shop.example (Cron Daemon)", ["root@shop.example"]],
  ["a@shop.example, Bob <b@shop.example>", ["a@shop.example", "b@shop.example"]],
  ["a@shop.example\t,\tb@shop.example", ["a@shop.example", "b@shop.example"]],
  ['"john..doe"@shop.example', ['"john..doe"@shop.example']],
  ["a@[192.0.2.1]", ["a@[192.0.2.1]"]],
];

for (const [value, addresses] of ONE_WAY) {
  Deno.test(`address list: ${value}`, () => {
    const list = parseAddressList(value);
    if (list.kind === "error") throw new Error(list.reason);
    assertEquals(list.mailboxes.map(({ mailbox }) => mailbox.text), addresses);
  });
}

const SEVERAL_WAYS: readonly string[] = [
  ...["", " ", ",", "a@shop.example,", ",a@shop.example", "a@shop.example,,b@shop.example"],
  ...["<a@shop.example> <ceo@relay.example>", "a@shop.example <ceo@relay.example>"],
  ...["a@shop.example b@shop.example", "<a@shop.example>ceo@relay.example"],
  ...["<a@shop.example", "a@shop.example>", "<<a@shop.example>>", "< a@shop.example >"],
  ...['"a@shop.example', '"Ada" "', "Ada (b <a@shop.example>", "(Ada)) <a@shop.example>"],
  ...["Team: a@shop.example;", "Team: a@shop.example, ceo@relay.example;", "undisclosed:;"],
  ...["<@relay.example:a@shop.example>", "<@a.example,@b.example:c@shop.example>"],
  ...["a@shop.example (Ada (Countess))", "a(x)@shop.example", "a@(x)shop.example"],
  ...["a@shop.example (ceo@relay.example)", "(a\\)) a@shop.example", "a @ shop.example"],
  ...['"ceo@relay.example x"@shop.example', '"a b"@shop.example', '"a,b"@shop.example'],
  ...["a@shop.example; ceo@relay.example", "a@shop.example\0", "a\u0001@shop.example"],
  ...["ceo\uff20relay.example@shop.example", "a\uff1cb@shop.example", "a@shop.example\u000bx"],
  ...["Ada", "ceo", "a@", "@shop.example", "a@@shop.example", "a..b@shop.example"],
  ...["a@shop.example\r\n b", "Ada \ufffd <a@shop.example>", "Ada\u0085 <a@shop.example>"],
];

for (const value of SEVERAL_WAYS) {
  Deno.test(`address list: ${JSON.stringify(value)} is refused`, () => {
    assertEquals(parseAddressList(value).kind, "error");
  });
}

Deno.test("address list: long values take no longer than their length", () => {
  for (const part of ['"', "(", "<", "a", "a ", "=?utf-8?q?a?= ", "a@b,", "\\", '"a" ', "@"]) {
    assertEquals(parseAddressList(part.repeat(200_000 / part.length)).kind, "error");
    addressLikeWords(part.repeat(200_000 / part.length));
  }
});

Deno.test("what looks like an address beside one is found", () => {
  const cases: readonly [string, readonly string[]][] = [
    ["Ada Lovelace", []],
    ["Support @ Shop", []],
    ["ceo@relay.example", ["ceo@relay.example"]],
    ["the 'ceo@relay.example'", ["'ceo@relay.example'"]],
    ["ceo\uff20relay.example", ["ceo@relay.example"]],
    ["a@b@c", ["a@b", "b@c"]],
  ];
  for (const [text, expected] of cases) assertEquals(addressLikeWords(text), expected, text);
});
