import { assert, assertEquals } from "@std/assert";
import { encodeQuotedPrintable } from "../../src/mail/quoted_printable.ts";

Deno.test("encodeQuotedPrintable", () => {
  assertEquals(encodeQuotedPrintable("a=b\r\nü \r\n\r\n"), "a=3Db\r\n=C3=BC=20\r\n\r\n");
  const lines = encodeQuotedPrintable("ä".repeat(200)).split("\r\n");
  assert(lines.every((line) => line.length <= 76));
  assertEquals(lines.map((line) => line.replace(/=$/, "")).join(""), "=C3=A4".repeat(200));
});
