import { assertEquals } from "@std/assert";
import { authAvailability, type AuthMode } from "../../src/auth/availability.ts";

const CASES: readonly (readonly [AuthMode, boolean, string])[] = [
  ["never", false, "never"],
  ["never", true, "never"],
  ["tls", false, "needs_tls"],
  ["tls", true, "offered"],
  ["always", false, "offered"],
  ["always", true, "offered"],
];

for (const [mode, tls, expected] of CASES) {
  Deno.test(`AUTH ${mode} on a ${tls ? "TLS" : "plain"} connection is ${expected}`, () => {
    assertEquals(authAvailability(mode, { tls }), expected);
  });
}
