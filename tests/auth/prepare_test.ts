import { assertEquals } from "@std/assert";
import { isSameUsername, preparePassword, prepareUsername } from "../../src/auth/prepare.ts";

// RFC 4013 section 3
const PASSWORDS: readonly (readonly [string, string | null])[] = [
  ["I\u00adX", "IX"],
  ["user", "user"],
  ["USER", "USER"],
  ["\u00aa", "a"],
  ["\u2168", "IX"],
  ["\u0007", null],
  ["a\u00a0b", "a b"],
  ["", null],
  ["\u00ad", null],
  ["pa\0ss", null],
  ["\ue000", null],
  ["x".repeat(1024), "x".repeat(1024)],
  ["x".repeat(1025), null],
];

for (const [text, expected] of PASSWORDS) {
  Deno.test(`password ${JSON.stringify(text).slice(0, 20)} is prepared`, () => {
    assertEquals(preparePassword(text), expected);
  });
}

const NAMES: readonly (readonly [string, string | null])[] = [
  ["Alice@Example.NET", "alice@example.net"],
  ["ＡＬＩＣＥ", "alice"],
  ["Grüße", "grüße"],
  ["two words", null],
  ["tab\tbed", null],
  ["", null],
  ["é".repeat(128), null],
];

for (const [text, expected] of NAMES) {
  Deno.test(`user name ${JSON.stringify(text).slice(0, 20)} is prepared`, () => {
    assertEquals(prepareUsername(text), expected);
  });
}

Deno.test("names that cannot be prepared are nobody's", () => {
  assertEquals(isSameUsername("a b", "a b"), false);
  assertEquals(isSameUsername("A", "a"), true);
});
