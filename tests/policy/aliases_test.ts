import { assertEquals, assertThrows } from "@std/assert";
import { type Mailbox, parseMailbox } from "../../src/mail/address.ts";
import { AliasMap } from "../../src/policy/aliases.ts";

const map = new AliasMap([
  ["team@example.com", ["a@x.example", "b@y.example"]],
  ["all@example.com", ["team@example.com", "A@x.example", "a@X.example"]],
  ["copy@example.com", ["copy@example.com", "a@x.example"]],
  ["one@example.com", ["two@example.com"]],
  ["two@example.com", ["one@example.com", "c@z.example"]],
  ["info@example.com", ["a@x.example"]],
  ["info@example.net", ["b@y.example"]],
]);

function mailbox(text: string): Mailbox {
  const parsed = parseMailbox(text);
  if (parsed.kind === "error") throw new Error(parsed.reason);
  return parsed.mailbox;
}

function expanded(text: string): string[] | null {
  const alias = map.get(mailbox(text));
  return alias && map.expand(alias).map((member) => member.text);
}

Deno.test("aliases: names are compared without regard to case", () => {
  assertEquals(expanded("TEAM@Example.COM"), ["a@x.example", "b@y.example"]);
  assertEquals(expanded("team@example.net"), null);
});

Deno.test("aliases: those in others are followed, and each mailbox is named once", () => {
  assertEquals(expanded("all@example.com"), ["A@x.example", "a@x.example", "b@y.example"]);
});

Deno.test("aliases: one that names itself keeps a copy, and loops end", () => {
  assertEquals(expanded("copy@example.com"), ["copy@example.com", "a@x.example"]);
  assertEquals(expanded("one@example.com"), ["c@z.example"]);
});

Deno.test("aliases: a name without a domain is found where it is unique", () => {
  assertEquals(map.find("Team").kind, "found");
  assertEquals(map.find("info").kind, "ambiguous");
  assertEquals(map.find("info@example.net").kind, "found");
  assertEquals(map.find("nobody").kind, "unknown");
  assertEquals(map.find("nobody@example.com").kind, "unknown");
});

Deno.test("aliases: what is no mailbox is refused", () => {
  assertThrows(() => new AliasMap([["team", []]]), RangeError, "Cannot use the alias");
  assertThrows(() => new AliasMap([["a@x.example", ["b"]]]), RangeError, `got "b"`);
});
