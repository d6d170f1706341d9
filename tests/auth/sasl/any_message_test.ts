import { assert } from "@std/assert";
import { oauthBearer, xoauth2 } from "../../../src/auth/sasl/bearer.ts";
import { external } from "../../../src/auth/sasl/external.ts";
import { login } from "../../../src/auth/sasl/login.ts";
import type { SaslServerMechanism, SaslStep } from "../../../src/auth/sasl/mechanism.ts";
import { plain } from "../../../src/auth/sasl/plain.ts";
import { scramSha256 } from "../../../src/auth/sasl/scram.ts";
import { type Random, seededRandom } from "../../../src/base/random.ts";
import { encodeText } from "../../../src/base/bytes.ts";
import { NO } from "./support.ts";

const MECHANISMS: readonly SaslServerMechanism[] = [
  plain,
  login,
  external,
  scramSha256({ newNonce: () => "nonce" }),
  oauthBearer({ scope: null }),
  xoauth2({ scope: null }),
];

/** Pieces that messages are made of, so that random ones get beyond the first check. */
const PIECES = [
  ...["n,,", "y,a=u,", "p=x,,", "n=u", "r=x", "r=xnonce", "c=biws", "p=", ",", "=", "=2C", "\0"],
  ...["\x01", "auth=Bearer abc", "user=u", "AAAA", "u", "é", "\ufffe", "m=x"],
];

function randomMessage(random: Random): Uint8Array {
  const parts = Array.from(
    { length: Math.floor(random.float() * 8) },
    () => PIECES[Math.floor(random.float() * PIECES.length)],
  );
  const message = encodeText(parts.join(""));
  if (random.float() < 0.2 && message.length > 0) message[0] = 0xff;
  return message;
}

/** Answers whatever a step wants; at most a few times, as no exchange is longer. */
function runToEnd(first: SaslStep, random: Random): SaslStep {
  let step = first;
  for (let turn = 0; turn < 6; turn++) {
    switch (step.kind) {
      case "success":
      case "failure":
        return step;
      case "challenge":
        step = step.next(randomMessage(random));
        break;
      case "find_scram_keys":
        step = step.next({ salt: new Uint8Array(16), iterations: 4096, candidates: [] });
        break;
      default:
        step = step.next(NO);
    }
  }
  return step;
}

for (const mechanism of MECHANISMS) {
  Deno.test(`${mechanism.name} ends in a failure whatever is sent to it`, () => {
    const random = seededRandom(7);
    for (let run = 0; run < 3000; run++) {
      const end = runToEnd(mechanism.start(run % 5 === 0 ? null : randomMessage(random)), random);
      assert(end.kind === "failure", `run ${run} ended as ${end.kind}`);
    }
  });
}
