import { assertEquals, assertThrows } from "@std/assert";
import { type Mailbox, parseMailbox } from "../../src/mail/address.ts";
import { AliasMap, membersInPlace } from "../../src/policy/aliases.ts";

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

Deno.test("aliases: a name that is not unique tells which ones there are", () => {
  const found = map.find("INFO");
  assertEquals(
    found.kind === "ambiguous" && found.aliases.map(({ mailbox }) => mailbox.text),
    ["info@example.com", "info@example.net"],
  );
});

/** What the recipients in the place of an alias ask for. */
function inPlace(
  members: readonly string[],
  params: Parameters<typeof membersInPlace>[1]["params"],
) {
  return membersInPlace(mailbox("team+a@example.com"), {
    members: members.map(mailbox),
    params,
  });
}

const ONE = ["a@x.example"];
const TWO = ["a@x.example", "b@y.example"];

Deno.test("aliases: members stand for the alias, whose address stays the original", () => {
  assertEquals(inPlace(ONE, {}), [
    {
      forwardPath: "a@x.example",
      domain: "x.example",
      originalRecipient: "rfc822;team+2Ba@example.com",
    },
  ]);
  const originalRecipient = "rfc822;old@example.org";
  assertEquals(inPlace(TWO, { originalRecipient }).map((member) => member.originalRecipient), [
    ...[originalRecipient, originalRecipient],
  ]);
});

Deno.test("aliases: an address that is not ASCII is not given as the original", () => {
  const [member] = membersInPlace(mailbox("jürgen@example.com"), {
    members: [mailbox("a@x.example")],
    params: {},
  });
  assertEquals(member, { forwardPath: "a@x.example", domain: "x.example" });
});

Deno.test("aliases: the success of a list is the list's own, that of a single member its own", () => {
  const notify = (members: readonly string[], ...events: ("SUCCESS" | "FAILURE" | "DELAY")[]) =>
    inPlace(members, { notify: events })[0]?.notify;
  assertEquals(notify(ONE, "SUCCESS", "FAILURE"), ["SUCCESS", "FAILURE"]);
  assertEquals(notify(TWO, "SUCCESS", "FAILURE"), ["FAILURE"]);
  assertEquals(notify(TWO, "SUCCESS"), ["NEVER"]);
  assertEquals(inPlace(TWO, {})[0]?.notify, undefined);
});
