import { assertEquals } from "@std/assert";
import { fitsWildcard } from "../../src/policy/wildcard.ts";

const CASES: readonly (readonly [string, string, boolean])[] = [
  ["", "", true],
  ["", "a", false],
  ["a", "a", true],
  ["a", "ab", false],
  ["*", "", true],
  ["*", "anything", true],
  ["a*", "abc", true],
  ["*c", "abc", true],
  ["a*c", "ac", true],
  ["a*a", "a", false],
  ["ab*bc", "abc", false],
  ["a*b*c", "a1b2c", true],
  ["a*b*c", "a1c2b", false],
  ["**", "x", true],
  ["*a*", "bbb", false],
  ["*ab*ab", "ab", false],
  ["*ab*ab", "abab", true],
  ["a.c", "abc", false],
  ["a*", "ba", false],
  ["*a", "ab", false],
  ["a*c", "abb", false],
  ["a*c", "bbc", false],
  ["a*b*c", "abc", true],
  ["a*b*b*c", "abc", false],
  ["*a*b*", "ba", false],
  ["*a*a*", "a", false],
  ["*ab*", "ab", true],
  ["*b*b", "ab", false],
];

for (const [pattern, text, expected] of CASES) {
  Deno.test(`"${pattern}" ${expected ? "fits" : "does not fit"} "${text}"`, () => {
    assertEquals(fitsWildcard(pattern, text), expected);
  });
}
