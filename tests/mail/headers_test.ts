import { assert, assertEquals } from "@std/assert";
import { encodeText } from "../../src/base/bytes.ts";
import { fieldText, findField, headerSection } from "../../src/mail/headers.ts";

function names(message: string): string[] {
  return headerSection(encodeText(message)).fields.map(({ name }) => name);
}

Deno.test("headerSection finds fields, folded ones included, and the body", () => {
  const message = encodeText(
    "From: a@b.example\r\nSubject: one\r\n two\r\n\tthree\r\n\r\nbody\r\n",
  );
  const section = headerSection(message);
  assertEquals(section.fields.map(({ name }) => name), ["From", "Subject"]);
  const subject = findField(section, "SUBJECT");
  assert(subject !== null);
  assertEquals(fieldText(message, subject), "one two\tthree");
  assertEquals(section.bodyOffset, message.length - "body\r\n".length);
  assertEquals(section.endOffset, section.bodyOffset - 2);
  assert(section.complete);
});

Deno.test("headerSection ends at the first line that is no field", () => {
  const cases: readonly [string, readonly string[]][] = [
    ["A: 1\r\nno field\r\nB: 2\r\n\r\n", ["A"]],
    ["A: 1\r\nDear Sir: hello\r\n", ["A"]],
    ["A: 1\r\n: 2\r\n", ["A"]],
    ["A: 1\r\nB\u00e4r: 2\r\n", ["A"]],
    [" A: 1\r\n", []],
    ["\r\nA: 1\r\n", []],
    ["", []],
    ["A \t: 1\r\nB:\r\n\r\n", ["A", "B"]],
    ["A: 1\nB: 2\n\nC: 3\n", ["A", "B"]],
  ];
  for (const [message, expected] of cases) assertEquals(names(message), expected, message);
});

Deno.test("headerSection tells a section that goes on from one that has ended", () => {
  const message = encodeText("A: 1\r\nB: 2\r\n 3\r\n\r\n");
  for (let length = 0; length < message.length; length++) {
    assertEquals(headerSection(message.subarray(0, length)).complete, false, `${length}`);
  }
  assert(headerSection(message).complete);
  assert(headerSection(encodeText("A: 1\r\nno field\r\n")).complete);
  assertEquals(headerSection(message, { limitBytes: 8 }).complete, false);
});

Deno.test("a value that is not UTF-8 is read octet by octet", () => {
  const message = Uint8Array.from([0x41, 0x3a, 0x20, 0xfc, 0x0d, 0x0a]);
  const [field] = headerSection(message).fields;
  assert(field !== undefined);
  assertEquals(fieldText(message, field), "\u00fc");
});
