import { decodeBase64Url } from "../base64.ts";
import { isObject } from "./json_request.ts";

/** The signatures that are taken (RFC 7518 section 3.1, RFC 8037 section 3.1). */
export type JwtAlgorithm = "RS256" | "ES256" | "EdDSA";

/** A public key of an issuer. */
export interface VerificationKey {
  readonly algorithm: JwtAlgorithm;
  /** Null where the issuer does not name it. */
  readonly keyId: string | null;
  readonly key: CryptoKey;
}

/** More keys than any issuer has. */
const KEYS_LIMIT = 100;
/** RFC 7518 section 3.3 */
const MIN_RSA_BYTES = 2048 / 8;

/** An algorithm by its name; null for those not taken, `none` and the symmetric ones first. */
export function asAlgorithm(name: unknown): JwtAlgorithm | null {
  return name === "RS256" || name === "ES256" || name === "EdDSA" ? name : null;
}

/**
 * Reads the keys of a JWK set (RFC 7517 section 5); those that are for something else or cannot
 * be used are left out, as its section 5 asks. Null where it is no key set.
 */
export async function readKeySet(
  set: Readonly<Record<string, unknown>>,
): Promise<VerificationKey[] | null> {
  const { keys } = set;
  if (!Array.isArray(keys)) return null;
  const read = await Promise.all(keys.slice(0, KEYS_LIMIT).map(readKey));
  return read.filter((key) => key !== null);
}

async function readKey(jwk: unknown): Promise<VerificationKey | null> {
  if (!isObject(jwk)) return null;
  const form = formOf(jwk);
  if (form === null || (jwk["use"] !== undefined && jwk["use"] !== "sig")) return null;
  if (jwk["alg"] !== undefined && jwk["alg"] !== form.algorithm) return null;
  try {
    const key = await crypto.subtle.importKey("jwk", form.jwk, form.params, false, ["verify"]);
    const keyId = typeof jwk["kid"] === "string" ? jwk["kid"] : null;
    return { algorithm: form.algorithm, keyId, key };
  } catch {
    return null; // not a point of the curve, and the like
  }
}

interface KeyForm {
  readonly algorithm: JwtAlgorithm;
  readonly jwk: JsonWebKey;
  readonly params: RsaHashedImportParams | EcKeyImportParams | Algorithm;
}

/** Which algorithm a key is for, and the parts of it that count. */
function formOf({ kty, crv, n, e, x, y }: Readonly<Record<string, unknown>>): KeyForm | null {
  if (kty === "RSA" && isText(n) && isText(e)) {
    if ((decodeBase64Url(n)?.length ?? 0) < MIN_RSA_BYTES) return null;
    const params = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
    return { algorithm: "RS256", jwk: { kty, n, e }, params };
  }
  if (kty === "EC" && crv === "P-256" && isText(x) && isText(y)) {
    const params = { name: "ECDSA", namedCurve: "P-256" };
    return { algorithm: "ES256", jwk: { kty, crv, x, y }, params };
  }
  if (kty === "OKP" && crv === "Ed25519" && isText(x)) {
    return { algorithm: "EdDSA", jwk: { kty, crv, x }, params: { name: "Ed25519" } };
  }
  return null;
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}
