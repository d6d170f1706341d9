import { assertEquals } from "@std/assert";
import { encodeText } from "../../../src/base/bytes.ts";
import { external } from "../../../src/auth/sasl/external.ts";
import { answer, expectStep, NO, summaryOf, YES } from "./support.ts";

Deno.test("EXTERNAL takes the user of the certificate", () => {
  const { next } = expectStep(external.start(encodeText("")), "check_certificate");
  expectStep(next(YES), "success");
  assertEquals(summaryOf(next(NO)), "credentials: wrong");
});

Deno.test("EXTERNAL takes an authorization identity that is the user, and no other", () => {
  const same = expectStep(answer(external.start(null), "Tim"), "check_certificate");
  expectStep(same.next(YES), "success");
  const other = expectStep(external.start(encodeText("kurt")), "check_certificate");
  assertEquals(
    summaryOf(other.next(YES)),
    "credentials: the authorization identity is another user",
  );
});

Deno.test("EXTERNAL refuses an identity that is no text, or has NUL", () => {
  const refusal = "malformed: the EXTERNAL authorization identity is not text";
  for (const identity of [Uint8Array.of(0xff), encodeText("ti\0m"), encodeText("\0")]) {
    assertEquals(summaryOf(external.start(identity)), refusal);
  }
});
