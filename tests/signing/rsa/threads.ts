/**
 * Signs with two keys on the threads that a relay has, many at once, and compares with the runtime's
 * own RSA. Runs where the flags of `deno task serve` hold.
 */
import { generateKeyPairSync, sign } from "node:crypto";
import { signingThreads } from "../../../src/app/signing_threads.ts";
import { partsOf } from "../../../src/signing/rsa/parts.ts";

const EACH = 20;

const threads = signingThreads(2);
if (threads === null) throw new Error("the runtime knows no wide arithmetic");
const keys = [1, 2].map(() => generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey);
const jobs = keys.flatMap((key) => {
  const parts = partsOf(key);
  if (parts === null) throw new Error("the key has no parts");
  return Array.from({ length: EACH }, async () => {
    const octets = crypto.getRandomValues(new Uint8Array(100));
    const signature = await threads.sign(parts, octets);
    return signature.toHex() === new Uint8Array(sign("sha256", octets, key)).toHex();
  });
});
const same = (await Promise.all(jobs)).filter((isSame) => isSame).length;
// deno-lint-ignore no-console
console.log(`${same} of ${jobs.length} are the same, without Web Crypto`);
Deno.exit();
