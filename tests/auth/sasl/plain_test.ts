import { assertEquals } from "@std/assert";
import { encodeText } from "../../../src/base/bytes.ts";
import { plain } from "../../../src/auth/sasl/plain.ts";
import { answer, challengeText, expectStep, NO, summaryOf, YES } from "./support.ts";

function credentialsOf(message: string): readonly [string, string] {
  const { username, password } = expectStep(plain.start(encodeText(message)), "check_password");
  return [username, password];
}

Deno.test("PLAIN reads the example of RFC 4616 section 4", () => {
  assertEquals(credentialsOf("\0tim\0tanstaaftanstaaf"), ["tim", "tanstaaftanstaaf"]);
});

Deno.test("PLAIN takes an authorization identity that is the user, and no other", () => {
  assertEquals(credentialsOf("TIM\0tim\0secret"), ["tim", "secret"]);
  // The second example of RFC 4616 section 4: Kurt acts as Ursel.
  assertEquals(
    summaryOf(plain.start(encodeText("Ursel\0Kurt\0xipj3plmq"))),
    "credentials: the authorization identity is another user",
  );
});

const MALFORMED = ["", "\0", "\0\0", "tim", "tim\0secret", "\0\0secret", "\0tim\0", "\0tim\0a\0b"];

for (const message of MALFORMED) {
  Deno.test(`PLAIN refuses ${JSON.stringify(message)}`, () => {
    assertEquals(summaryOf(plain.start(encodeText(message))).split(":")[0], "malformed");
  });
}

Deno.test("PLAIN refuses octets that are not UTF-8", () => {
  const message = Uint8Array.of(0, 0x74, 0, 0xff);
  assertEquals(summaryOf(plain.start(message)), "malformed: the PLAIN message is not UTF-8");
});

Deno.test("PLAIN asks for its message with an empty challenge (RFC 4954 section 4)", () => {
  const step = plain.start(null);
  assertEquals(challengeText(step), "");
  expectStep(answer(step, "\0tim\0secret"), "check_password");
});

Deno.test("PLAIN ends as the check says", () => {
  const { next } = expectStep(plain.start(encodeText("\0tim\0secret")), "check_password");
  assertEquals(expectStep(next(YES), "success").proof.user, "tim");
  assertEquals(summaryOf(next(NO)), "credentials: wrong");
});
