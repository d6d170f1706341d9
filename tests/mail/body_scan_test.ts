import { assertEquals } from "@std/assert";
import { concatBytes, decodeText, encodeText } from "../../src/base/bytes.ts";
import { bodyFacts } from "../../src/mail/body_facts.ts";
import { BodyScan } from "../../src/mail/body_scan.ts";

/** Scans `text` in pieces of `pieceBytes`. */
function scan(text: string, pieceBytes = Infinity): { out: string; scan: BodyScan } {
  const bytes = encodeText(text);
  const scanned = new BodyScan();
  const out: Uint8Array[] = [];
  for (let from = 0; from < bytes.length; from += pieceBytes) {
    out.push(...scanned.take(bytes.slice(from, Math.min(from + pieceBytes, bytes.length))));
  }
  out.push(...scanned.end());
  return { out: decodeText(concatBytes(out)), scan: scanned };
}

const BODIES: readonly (readonly [string, string])[] = [
  ["", ""],
  ["A: b\r\n\r\n.dot\r\n..\r\n", "A: b\r\n\r\n.dot\r\n..\r\n"],
  ["A: b\n\n.dot\n\n", "A: b\r\n\r\n.dot\r\n\r\n"],
  ["no end", "no end\r\n"],
  ["größe\r\nmixed\nlines\r\n", "größe\r\nmixed\r\nlines\r\n"],
  ["\n\n", "\r\n\r\n"],
];

Deno.test("body scan: gives the lines of mail, however the message is split", () => {
  for (const [text, expected] of BODIES) {
    const facts = bodyFacts(encodeText(expected));
    for (const pieceBytes of [1, 2, 3, 5, Infinity]) {
      const { out, scan: scanned } = scan(text, pieceBytes);
      assertEquals(out, expected);
      assertEquals(scanned.facts, facts, JSON.stringify([text, pieceBytes]));
      assertEquals(scanned.violation, null);
    }
  }
});

Deno.test("body scan: finds what cannot be lines of mail", () => {
  for (const pieceBytes of [1, 2, 3, Infinity]) {
    assertEquals(scan("a\rb\r\n", pieceBytes).scan.violation, "bare_cr");
    assertEquals(scan("a\r", pieceBytes).scan.violation, "bare_cr");
    assertEquals(scan("a\r\r\n", pieceBytes).scan.violation, "bare_cr");
    assertEquals(scan("a\0b\r\n", pieceBytes).scan.violation, "nul");
  }
});
