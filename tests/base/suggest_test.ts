import { assertEquals } from "@std/assert";
import { nearest } from "../../src/base/suggest.ts";

const WORDS = ["listeners", "limits", "log", "queue", "routes", "retry", "release"];

const CASES: readonly (readonly [string, string | null])[] = [
  ["quue", "queue"],
  ["Queue", "queue"],
  ["listner", "listeners"],
  ["limist", "limits"],
  ["olg", "log"],
  ["relase", "release"],
  ["something", null],
  ["logg", "log"],
  ["lg", "log"],
  ["qeueu", null],
  ["ruotes", "routes"],
  ["rotu", null],
  ["LIMITS", "limits"],
  ["", null],
  ["x", null],
];

for (const [typed, expected] of CASES) {
  Deno.test(`the word nearest to ${typed} is ${expected}`, () => {
    assertEquals(nearest(typed, WORDS), expected);
  });
}
