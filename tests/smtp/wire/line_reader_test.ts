import { assertEquals } from "@std/assert";
import { decodeText, encodeText } from "../../../src/base/bytes.ts";
import { BufferPool } from "../../../src/smtp/wire/buffer_pool.ts";
import { InputBuffer } from "../../../src/smtp/wire/input_buffer.ts";
import { LineReader } from "../../../src/smtp/wire/line_reader.ts";

const CASES: readonly [name: string, octets: string, results: readonly string[]][] = [
  ["one line", "NOOP\r\n", ["NOOP"]],
  ["several lines", "A\r\nB\r\n\r\nC\r\n", ["A", "B", "", "C"]],
  ["an unfinished line", "A\r\nB", ["A"]],
  ["an unfinished CRLF", "A\r", []],
  ["CR within a line", "A\rB\r\n", ["A\rB"]],
  ["CR CR LF", "A\r\r\n", ["A\r"]],
  ["LF alone", "A\nB\nC\r\nD\r\n", ["(bare_lf)", "D"]],
  ["LF first", "\nA\r\nB\r\n", ["(bare_lf)", "B"]],
  ["LF after CRLF", "A\r\n\nB\r\nC\r\n", ["A", "(bare_lf)", "C"]],
  ["LF CR", "A\n\rB\r\nC\r\n", ["(bare_lf)", "C"]],
  ["as long as may be", "12345678\r\nB\r\n", ["12345678", "B"]],
  ["one octet too long", "123456789\r\nB\r\n", ["(too_long)", "B"]],
  ["far too long", "x".repeat(2000) + "\r\nB\r\n", ["(too_long)", "B"]],
  ["too long, with CRs", "\r".repeat(50) + "\nB\r\n", ["(too_long)", "B"]],
];

for (const [name, octets, results] of CASES) {
  Deno.test(`line reader: ${name}, split anywhere`, () => {
    const bytes = encodeText(octets);
    const step = Math.max(1, Math.floor(bytes.length / 100));
    for (let at = 0; at <= bytes.length; at += step) {
      assertEquals(readLines([bytes.subarray(0, at), bytes.subarray(at)]), results, `${at}`);
    }
    assertEquals(readLines([...bytes].map((octet) => Uint8Array.of(octet))), results);
  });
}

Deno.test("line reader: knows whether it is within a line", () => {
  const input = new InputBuffer(new BufferPool());
  const lines = new LineReader(input, { maxLineBytes: 10 });
  assertEquals(lines.midLine, false);
  feed(input, encodeText("x".repeat(20)));
  assertEquals(lines.next().kind, "too_long");
  assertEquals(input.length, 0);
  assertEquals(lines.midLine, true);
  feed(input, encodeText("\r\n"));
  assertEquals(lines.next().kind, "incomplete");
  assertEquals(lines.midLine, false);
});

function readLines(pieces: readonly Uint8Array[]): string[] {
  const input = new InputBuffer(new BufferPool());
  const lines = new LineReader(input, { maxLineBytes: 10 });
  const results: string[] = [];
  for (const piece of pieces) {
    for (let at = 0; at < piece.length; at += 64) {
      feed(input, piece.subarray(at, at + 64));
      for (let line = lines.next(); line.kind !== "incomplete"; line = lines.next()) {
        results.push(line.kind === "line" ? decodeText(line.bytes) : `(${line.kind})`);
      }
    }
  }
  return results;
}

function feed(input: InputBuffer, octets: Uint8Array): void {
  input.room().set(octets);
  input.filled(octets.length);
}
