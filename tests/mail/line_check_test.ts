import { assertEquals } from "@std/assert";
import { LineCheck } from "../../src/mail/line_check.ts";

const CASES: readonly (readonly [text: string, isLines: boolean])[] = [
  ["", true],
  ["a\r\nb\r\n", true],
  ["a\r\nb", true],
  ["\r\n\r\n", true],
  ["a\nb", false],
  ["\na", false],
  ["a\rb", false],
  ["a\r", false],
  ["a\r\r\nb", false],
  ["a\n\rb", false],
  ["a\0b", false],
  [`${"x".repeat(20)}\r\n`, true],
  [`${"x".repeat(21)}\r\n`, false],
  [`a\r\n${"x".repeat(21)}`, false],
];

Deno.test("lines are told from what only looks like them, however the octets come", () => {
  for (const [text, isLines] of CASES) {
    const octets = new TextEncoder().encode(text);
    for (const size of [1, 2, 3, octets.length + 1]) {
      const check = new LineCheck({ limitBytes: 20 });
      for (let at = 0; at < octets.length; at += size) check.add(octets.subarray(at, at + size));
      check.end();
      assertEquals(check.isLines, isLines, `${JSON.stringify(text)} by ${size}`);
    }
  }
});
