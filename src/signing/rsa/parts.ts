import type { KeyObject } from "node:crypto";
import type { RsaParts } from "./private_key.ts";

/** The numbers of a private RSA key; null where it has more than two primes. */
export function partsOf(key: KeyObject): RsaParts | null {
  const { n, e, p, q, dp, dq, qi } = key.export({ format: "jwk" });
  const parts = {
    ...{ n: numberOf(n), e: numberOf(e), p: numberOf(p), q: numberOf(q) },
    ...{ dp: numberOf(dp), dq: numberOf(dq), qi: numberOf(qi) },
  };
  return parts.p * parts.q === parts.n ? parts : null;
}

/** RFC 7518 section 6.3: base64url of the number, the highest octet first. */
function numberOf(text: string | undefined): bigint {
  const octets = Uint8Array.fromBase64(text ?? "", { alphabet: "base64url" });
  return octets.length === 0 ? 0n : BigInt(`0x${octets.toHex()}`);
}
