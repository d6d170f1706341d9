/**
 * Signs with keys of several lengths and compares with what the runtime's own RSA makes of the
 * same octets. Runs where the flags of `deno task serve` hold; prints how many were the same.
 */
import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { hasWideArithmetic } from "../../../src/signing/rsa/montgomery_code.ts";
import { partsOf } from "../../../src/signing/rsa/parts.ts";
import { RsaPrivateKey } from "../../../src/signing/rsa/private_key.ts";

const BITS = [1024, 2048, 2056, 3072];
const EACH = 12;

if (!hasWideArithmetic()) throw new Error("the runtime knows no wide arithmetic");
let same = 0;
for (const modulusLength of BITS) {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength });
  const parts = partsOf(privateKey);
  if (parts === null) throw new Error("the key has no parts");
  const key = new RsaPrivateKey(parts, (into) => crypto.getRandomValues(into));
  for (let count = 0; count < EACH; count++) {
    const octets = crypto.getRandomValues(new Uint8Array(100));
    const expected = new Uint8Array(sign("sha256", octets, privateKey));
    const found = key.sign(createHash("sha256").update(octets).digest());
    if (found.toHex() === expected.toHex()) same++;
  }
}
// deno-lint-ignore no-console
console.log(`${same} of ${BITS.length * EACH} are the same`);
