import { assert, assertEquals } from "@std/assert";
import { concatBytes, encodeText } from "../../src/base/bytes.ts";
import {
  countFields,
  fieldText,
  findField,
  HeaderReader,
  headerSection,
} from "../../src/mail/headers.ts";

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

const MESSAGES: readonly string[] = [
  "Received: a\r\nX: Received: no\r\n received: folded\r\nRECEIVED : b\r\n" +
  "Received-SPF: no\r\n\r\nReceived: text\r\n",
  "A: 1\r\nno field\r\nReceived: body\r\n",
  " \r\nA: 1\r\n",
  "\r\nA: 1\r\n",
  "A: 1\r\n 2\r\n",
  "A: 1\n\tB: 2\n\nbody",
  "A: 1\r\nno end",
  "",
];

for (const message of MESSAGES) {
  Deno.test(`HeaderReader: ${JSON.stringify(message)}, split anywhere`, () => {
    const bytes = encodeText(message);
    const whole = headerSection(bytes);
    for (let first = 0; first <= bytes.length; first++) {
      for (const second of [first, Math.min(first + 1, bytes.length), bytes.length]) {
        const reader = new HeaderReader();
        const pieces = [
          ...[bytes.slice(0, first), bytes.slice(first, second), bytes.slice(second)],
        ];
        const rest = pieces.map((piece) => {
          const taken = reader.take(piece).slice();
          piece.fill(0x2a);
          return taken;
        });
        rest.push(reader.end().slice());
        assert(reader.header !== null);
        const { bytes: octets, complete: _, ...section } = reader.header;
        const { complete: __, ...expected } = whole;
        assertEquals(section, expected);
        assertEquals(concatBytes([octets, ...rest]), bytes);
      }
    }
    assertEquals(countFields(whole, "received"), message.startsWith("Received") ? 2 : 0);
  });
}

Deno.test("HeaderReader gives up a section beyond its limit, and loses nothing of it", () => {
  const bytes = encodeText("A: 1\r\n".repeat(100) + "\r\nbody");
  for (const size of [1, 7, 64, bytes.length]) {
    const reader = new HeaderReader({ limitBytes: 64 });
    const seen: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; at += size) {
      seen.push(reader.take(bytes.slice(at, at + size)).slice());
    }
    seen.push(reader.end().slice());
    assert(reader.header !== null && !reader.header.complete);
    assertEquals(reader.header.fields.length, 10);
    assertEquals(concatBytes([reader.header.bytes, ...seen]), bytes);
  }
});
