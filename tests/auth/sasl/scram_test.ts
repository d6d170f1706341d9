import { assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { createHmac, pbkdf2Sync } from "node:crypto";
import { encodeText } from "../../../src/base/bytes.ts";
import { scramSha256 } from "../../../src/auth/sasl/scram.ts";
import type { SaslStep, ScramCredentials, Verdict } from "../../../src/auth/sasl/mechanism.ts";
import { makeScramKeys } from "../../../src/auth/scram_keys.ts";
import { sha256 } from "../../../src/auth/scram_keys.ts";
import { answer, challengeText, expectStep, NO, summaryOf, YES } from "./support.ts";

// RFC 7677 section 3
const SALT = new Uint8Array(Buffer.from("W22ZaJ0SNY7soEsUEjb6gQ==", "base64"));
const CLIENT_NONCE = "rOprNGfwEbeRWgbNEkqO";
const SERVER_NONCE = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
const CLIENT_FIRST = `n,,n=user,r=${CLIENT_NONCE}`;
const SERVER_FIRST = `r=${CLIENT_NONCE}${SERVER_NONCE},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`;
const CLIENT_FINAL = `c=biws,r=${CLIENT_NONCE}${SERVER_NONCE},` +
  "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
const SERVER_FINAL = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

const mechanism = scramSha256({ newNonce: () => SERVER_NONCE });

async function credentialsOf(
  passwords: Readonly<Record<string, Verdict>>,
): Promise<ScramCredentials> {
  const candidates = await Promise.all(
    Object.entries(passwords).map(async ([password, verdict]) => {
      const { storedKey, serverKey } = await makeScramKeys(password, {
        salt: SALT,
        iterations: 4096,
      });
      return { storedKey, serverKey, verdict };
    }),
  );
  return { salt: SALT, iterations: 4096, candidates };
}

/** The step after the client-first message, with `credentials` found. */
function opened(clientFirst: string, credentials: ScramCredentials): SaslStep {
  const asked = mechanism.start(encodeText(clientFirst));
  return expectStep(asked, "find_scram_keys").next(credentials);
}

Deno.test("SCRAM-SHA-256 speaks the exchange of RFC 7677 section 3", async () => {
  const asked = expectStep(mechanism.start(encodeText(CLIENT_FIRST)), "find_scram_keys");
  assertEquals(asked.username, "user");
  const first = asked.next(await credentialsOf({ pencil: YES }));
  assertEquals(challengeText(first), SERVER_FIRST);
  const final = answer(first, CLIENT_FINAL);
  assertEquals(challengeText(final), SERVER_FINAL);
  expectStep(answer(final, ""), "success");
});

Deno.test("SCRAM refuses text after the server's signature", async () => {
  const first = opened(CLIENT_FIRST, await credentialsOf({ pencil: YES }));
  assertEquals(
    summaryOf(answer(answer(first, CLIENT_FINAL), "more")).split(":")[0],
    "malformed",
  );
});

Deno.test("SCRAM refuses a wrong password", async () => {
  const first = opened(CLIENT_FIRST, await credentialsOf({ pen: YES }));
  assertEquals(summaryOf(answer(first, CLIENT_FINAL)), "credentials: the SCRAM proof is wrong");
});

Deno.test("SCRAM finds the password of a device among several", async () => {
  const printer: Verdict = { kind: "accepted", proof: { user: "user", device: "printer" } };
  const first = opened(CLIENT_FIRST, await credentialsOf({ pen: YES, pencil: printer }));
  const success = expectStep(answer(answer(first, CLIENT_FINAL), ""), "success");
  assertEquals(success.proof, { user: "user", device: "printer" });
});

Deno.test("SCRAM refuses a user that may not log in, without a signature", async () => {
  const first = opened(CLIENT_FIRST, await credentialsOf({ pencil: NO }));
  assertEquals(summaryOf(answer(first, CLIENT_FINAL)), "credentials: wrong");
});

const WRONG_FINALS: readonly (readonly [string, string, string])[] = [
  ["another nonce", CLIENT_FINAL.replace("%hv", "%hV"), "credentials"],
  ["another header", CLIENT_FINAL.replace("biws", "eSws"), "credentials"],
  ["a binding that is not base64", CLIENT_FINAL.replace("biws", "b!ws"), "credentials"],
  ["no proof", CLIENT_FINAL.replace(/,p=.*/, ""), "malformed"],
  ["a short proof", CLIENT_FINAL.replace(/,p=.*/, ",p=AAAA"), "malformed"],
  ["a proof that is not base64", CLIENT_FINAL.replace(/.$/, "!"), "malformed"],
  ["nothing", "", "malformed"],
];

for (const [what, final, failure] of WRONG_FINALS) {
  Deno.test(`SCRAM refuses a final message with ${what}`, async () => {
    const first = opened(CLIENT_FIRST, await credentialsOf({ pencil: YES }));
    assertEquals(summaryOf(answer(first, final)).split(":")[0], failure);
  });
}

const WRONG_FIRSTS: readonly (readonly [string, string])[] = [
  ["p=tls-unique,,n=user,r=abc", "credentials"], // RFC 5802 section 6: no channel binding here
  ["p=,,n=user,r=abc", "malformed"],
  ["x,,n=user,r=abc", "malformed"],
  ["n,a=,n=user,r=abc", "malformed"],
  ["n,a=other,n=user,r=abc", "credentials"],
  ["n,,m=extension,n=user,r=abc", "malformed"], // RFC 5802 section 5.1
  ["n,,n=us=er,r=abc", "malformed"],
  ["n,,n=,r=abc", "malformed"],
  ["n,,n=user,r=", "malformed"],
  ["n,,n=user,r=a c", "malformed"],
  ["n,,r=abc,n=user", "malformed"],
  ["n,,n=user", "malformed"],
  ["n=user,r=abc", "malformed"],
  ["", "malformed"],
];

for (const [message, failure] of WRONG_FIRSTS) {
  Deno.test(`SCRAM refuses ${JSON.stringify(message)} as ${failure}`, () => {
    assertEquals(summaryOf(mechanism.start(encodeText(message))).split(":")[0], failure);
  });
}

Deno.test("SCRAM reads escapes, authorization identities and extensions", () => {
  const asked = mechanism.start(encodeText("n,a=a=2Cb=3Dc,n=a=2Cb=3Dc,r=abc,x=extension"));
  assertEquals(expectStep(asked, "find_scram_keys").username, "a,b=c");
});

Deno.test("SCRAM lets a client that could bind go on (RFC 5802 section 6, flag y)", async () => {
  const clientFirst = `y,,n=user,r=${CLIENT_NONCE}`;
  const first = opened(clientFirst, await credentialsOf({ pencil: YES }));
  const withoutProof = `c=eSws,r=${CLIENT_NONCE}${SERVER_NONCE}`;
  const authMessage = `n=user,r=${CLIENT_NONCE},${SERVER_FIRST},${withoutProof}`;
  const final = answer(first, `${withoutProof},p=${proofOf("pencil", authMessage)}`);
  expectStep(answer(final, ""), "success");
});

/** A client's side of RFC 5802 section 3, written on its own. */
function proofOf(password: string, authMessage: string): string {
  const salted = pbkdf2Sync(password, SALT, 4096, 32, "sha256");
  const clientKey = createHmac("sha256", salted).update("Client Key").digest();
  const signature = createHmac("sha256", sha256(clientKey)).update(authMessage).digest();
  return Buffer.from(clientKey.map((octet, at) => octet ^ (signature[at] ?? 0))).toString("base64");
}
