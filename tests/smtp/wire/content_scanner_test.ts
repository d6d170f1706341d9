import { assertEquals } from "@std/assert";
import { encodeText } from "../../../src/base/bytes.ts";
import { bodyFacts } from "../../../src/mail/body_facts.ts";
import { ContentScanner } from "../../../src/smtp/wire/content_scanner.ts";

const LINES = [
  "",
  "a\r\n",
  ".a\r\n..b\r\nc",
  "\r\n\r\n.\r\n",
  "long line\r\nx\r\n",
  "gr\u00fc\u00dfe\r\n",
  "ends in CR\r",
];
const VIOLATIONS = [
  ["a\nb\r\n", "bare_lf"],
  ["a\rb\r\n", "bare_cr"],
  ["a\r\rb\r\n", "bare_cr"],
  ["\n", "bare_lf"],
  ["a\r\n\n", "bare_lf"],
  ["a\0\r\n", "nul"],
] as const;

/** What the scanner says of octets that come in these pieces. */
function scan(pieces: readonly Uint8Array[]) {
  const scanner = new ContentScanner();
  for (const piece of pieces) scanner.scan(piece);
  const { facts, violation, sizeBytes, atLineStart } = scanner;
  return { facts, violation, sizeBytes, atLineStart };
}

for (const text of LINES) {
  Deno.test(`content scanner: ${JSON.stringify(text)} has the facts of a whole message`, () => {
    const octets = encodeText(text);
    const { facts, violation } = scan([octets]);
    assertEquals({ facts, violation }, { facts: bodyFacts(octets), violation: null });
  });
}

for (const [text, violation] of VIOLATIONS) {
  Deno.test(`content scanner: ${JSON.stringify(text)} is unfit: ${violation}`, () => {
    const found = scan([encodeText(text)]);
    assertEquals([found.violation, found.facts.lineOriented], [violation, false]);
  });
}

Deno.test("content scanner: cut in two anywhere, the octets are the same", () => {
  for (const text of [...LINES, ...VIOLATIONS.map(([unfit]) => unfit)]) {
    const octets = encodeText(text);
    const whole = scan([octets]);
    for (let at = 0; at <= octets.length; at++) {
      assertEquals(scan([octets.subarray(0, at), octets.subarray(at)]), whole, `${text} at ${at}`);
    }
  }
});

Deno.test("content scanner: what was found first stays", () => {
  for (const [first, next, violation] of [["a\n", "\0", "bare_lf"], ["\0", "a\n", "nul"]]) {
    const pieces = [first, next].map((text) => encodeText(text ?? ""));
    assertEquals(scan(pieces).violation as string | null, violation ?? null);
  }
});
