import { assertEquals } from "@std/assert";
import { encodeText } from "../../../src/base/bytes.ts";
import { oauthBearer, xoauth2 } from "../../../src/auth/sasl/bearer.ts";
import type { SaslServerMechanism } from "../../../src/auth/sasl/mechanism.ts";
import { answer, challengeText, expectStep, NO, summaryOf, YES } from "./support.ts";

const bearer = oauthBearer({ scope: "smtp.send" });
const google = xoauth2({ scope: null });

/** RFC 7628 section 4.1 */
const EXAMPLE = "n,a=user@example.com,\x01host=server.example.com\x01port=587\x01" +
  "auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\x01\x01";

function tokenOf(mechanism: SaslServerMechanism, message: string): [string | null, string] {
  const { username, token } = expectStep(mechanism.start(encodeText(message)), "check_token");
  return [username, token];
}

Deno.test("OAUTHBEARER reads the example of RFC 7628 section 4.1", () => {
  assertEquals(tokenOf(bearer, EXAMPLE), [
    "user@example.com",
    "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==",
  ]);
});

Deno.test("OAUTHBEARER needs no user and takes the scheme in any case", () => {
  assertEquals(tokenOf(bearer, "y,,\x01auth=BEARER abc\x01\x01"), [null, "abc"]);
});

Deno.test("XOAUTH2 reads user and token", () => {
  const message = "user=someuser@example.com\x01auth=Bearer ya29.vF9dft4qmTc2Nvb3R\x01\x01";
  assertEquals(tokenOf(google, message), ["someuser@example.com", "ya29.vF9dft4qmTc2Nvb3R"]);
});

Deno.test("a refused token is explained before the exchange fails (RFC 7628 section 3.2.2)", () => {
  const refused = expectStep(bearer.start(encodeText(EXAMPLE)), "check_token").next(NO);
  assertEquals(JSON.parse(challengeText(refused)), {
    status: "invalid_token",
    scope: "smtp.send",
  });
  assertEquals(summaryOf(answer(refused, "\x01")), "credentials: wrong");
});

Deno.test("XOAUTH2 explains with a status and takes an empty answer", () => {
  const message = "user=a\x01auth=Bearer b\x01\x01";
  const refused = expectStep(google.start(encodeText(message)), "check_token").next(NO);
  assertEquals(JSON.parse(challengeText(refused)), { status: "401", schemes: "bearer" });
  assertEquals(summaryOf(answer(refused, "")), "credentials: wrong");
});

Deno.test("a token that cannot be checked fails at once", () => {
  const { next } = expectStep(bearer.start(encodeText(EXAMPLE)), "check_token");
  const refused = next({ kind: "refused", failure: "unavailable", cause: "no answer" });
  assertEquals(summaryOf(refused), "unavailable: no answer");
  expectStep(next(YES), "success");
});

const MALFORMED: readonly (readonly [SaslServerMechanism, string])[] = [
  [bearer, ""],
  [bearer, "n,,"],
  [bearer, "n,,\x01\x01"],
  [bearer, "n,,auth=Bearer abc\x01\x01"],
  [bearer, "n,,\x01auth=Bearer abc\x01"],
  [bearer, "n,,\x01auth=Basic abc\x01\x01"],
  [bearer, "n,,\x01auth=Bearer \x01\x01"],
  [bearer, "n,,\x01auth=Bearer a b\x01\x01"],
  [bearer, "n,,\x01auth=Bearer a\x01auth=Bearer b\x01\x01"],
  [google, ""],
  [google, "user=\x01auth=Bearer abc\x01\x01"],
  [google, "auth=Bearer abc\x01\x01"],
  [google, "user=a\x01\x01"],
];

for (const [mechanism, message] of MALFORMED) {
  Deno.test(`${mechanism.name} refuses ${JSON.stringify(message)}`, () => {
    assertEquals(summaryOf(mechanism.start(encodeText(message))).split(":")[0], "malformed");
  });
}

Deno.test("OAUTHBEARER refuses channel binding", () => {
  const step = bearer.start(encodeText("p=tls-exporter,,\x01auth=Bearer abc\x01\x01"));
  assertEquals(summaryOf(step).split(":")[0], "credentials");
});
