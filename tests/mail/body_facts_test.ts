import { assertEquals } from "@std/assert";
import { encodeText } from "../../src/base/bytes.ts";
import { bodyFacts } from "../../src/mail/body_facts.ts";

Deno.test("bodyFacts", () => {
  assertEquals(bodyFacts(encodeText("a\r\n.\r\n..longer\r\nü\r\n")), {
    sizeBytes: 20,
    eightBit: true,
    dotLines: 2,
    longestLineBytes: 8,
    lineOriented: true,
  });
  for (const text of ["a", "a\n", "a\rb\r\n", "a\r", "\n\r\n", "\r\r\n", "a\r\nb"]) {
    assertEquals(bodyFacts(encodeText(text)).lineOriented, false, JSON.stringify(text));
  }
  for (const text of ["", "\r\n", "a\r\n", "\r\n\r\n"]) {
    assertEquals(bodyFacts(encodeText(text)).lineOriented, true, JSON.stringify(text));
  }
});
