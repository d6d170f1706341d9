import { assertEquals, assertStrictEquals } from "@std/assert";
import { concatBytes, decodeText, encodeText } from "../../../src/base/bytes.ts";
import { DotEncoder, encodeDots } from "../../../src/smtp/wire/dot_encoder.ts";

const CASES: readonly [name: string, message: string, wire: string][] = [
  ["empty message", "", ".\r\n"],
  ["no dots", "a\r\nb\r\n", "a\r\nb\r\n.\r\n"],
  ["no final CRLF", "a", "a\r\n.\r\n"],
  ["final CR", "a\r", "a\r\r\n.\r\n"],
  ["dot first", ".a\r\n", "..a\r\n.\r\n"],
  ["a dot alone", ".\r\n", "..\r\n.\r\n"],
  ["dots in a row", "a\r\n.\r\n..\r\nb.\r\n", "a\r\n..\r\n...\r\nb.\r\n.\r\n"],
  ["dot last", "a\r\n.", "a\r\n..\r\n.\r\n"],
  ["bare LF is no line end", "a\n.b\r\n", "a\n.b\r\n.\r\n"],
];

for (const [name, message, wire] of CASES) {
  Deno.test(`dot encoder: ${name}, split anywhere`, () => {
    const bytes = encodeText(message);
    for (let first = 0; first <= bytes.length; first++) {
      for (let second = first; second <= bytes.length; second++) {
        const encoder = new DotEncoder();
        const pieces = [
          encoder.encode(bytes.subarray(0, first)),
          encoder.encode(bytes.subarray(first, second)),
          encoder.encode(bytes.subarray(second)),
        ];
        assertEquals(decodeText(concatBytes([...pieces, encoder.end()])), wire);
      }
    }
  });
}

Deno.test("dot encoder: hands the chunk through where nothing is to add", () => {
  const chunk = encodeText("a.b\r\n");
  assertStrictEquals(new DotEncoder().encode(chunk), chunk);
});

Deno.test("encodeDots: trusts dotLines 0 and still ends the last line", async () => {
  const pieces: Uint8Array[] = [];
  for await (const piece of encodeDots([encodeText("a\r\nb")], { dotLines: 0 })) pieces.push(piece);
  assertEquals(decodeText(concatBytes(pieces)), "a\r\nb\r\n.\r\n");
});
