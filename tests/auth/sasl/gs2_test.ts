import { assertEquals } from "@std/assert";
import { readGs2Header, unescapeName } from "../../../src/auth/sasl/gs2.ts";

/** RFC 5801 section 4: flag, authorization identity, and a comma after each. */
const HEADERS: readonly (readonly [string, ReturnType<typeof readGs2Header>])[] = [
  ["n,,rest", { kind: "ok", text: "n,,", authzid: "", end: 3 }],
  ["y,a=tim,r,x", { kind: "ok", text: "y,a=tim,", authzid: "tim", end: 8 }],
  ["n,a=a=2Cb=3Dc,", { kind: "ok", text: "n,a=a=2Cb=3Dc,", authzid: "a,b=c", end: 14 }],
  ["p=tls-unique,,", { kind: "channel_binding" }],
  ["p=,,", { kind: "malformed" }],
  ["p=a b,,", { kind: "malformed" }],
  ["x,,", { kind: "malformed" }],
  [",,", { kind: "malformed" }],
  ["n,", { kind: "malformed" }],
  ["n", { kind: "malformed" }],
  ["", { kind: "malformed" }],
  ["n,tim,", { kind: "malformed" }],
  ["n,a=,", { kind: "malformed" }],
  ["n,a=x=2c,", { kind: "malformed" }],
];

for (const [message, expected] of HEADERS) {
  Deno.test(`the GS2 header of ${JSON.stringify(message)} is ${expected.kind}`, () => {
    assertEquals(readGs2Header(message), expected);
  });
}

Deno.test("names are escaped with =2C and =3D, and nothing else", () => {
  assertEquals(unescapeName("a=2Cb=3D2C"), "a,b=2C");
  for (const text of ["", "=", "a=2", "a=2D", "a\0b"]) assertEquals(unescapeName(text), null);
});
