import { decodeText, encodeText } from "../../base/bytes.ts";
import { decodeBase64Url } from "../base64.ts";
import type { Claims } from "./claims.ts";
import type { JwtAlgorithm, VerificationKey } from "./verification_key.ts";
import { asAlgorithm } from "./verification_key.ts";
import { jsonObject } from "./json_request.ts";

/** A signed token, taken apart; nothing in it is to be believed before `isSigned`. */
export interface Jwt {
  readonly algorithm: JwtAlgorithm;
  /** Names the key; null where the token names none. */
  readonly keyId: string | null;
  readonly claims: Claims;
  readonly signature: Uint8Array<ArrayBuffer>;
  readonly signingInput: Uint8Array<ArrayBuffer>;
}

/** What `parseJwt` found. */
export type JwtResult =
  | { readonly kind: "ok"; readonly jwt: Jwt }
  | { readonly kind: "error"; readonly reason: string };

/** Reads the compact form of a signed token (RFC 7515 section 3.1, RFC 7519). */
export function parseJwt(token: string): JwtResult {
  const [headerText = "", claimsText = "", signatureText = "", ...others] = token.split(".");
  const header = objectOf(headerText);
  const claims = objectOf(claimsText);
  const signature = decodeBase64Url(signatureText);
  if (header === null || claims === null || signature === null || others.length > 0) {
    return failure("the token is not a JWT");
  }
  const algorithm = asAlgorithm(header["alg"]);
  if (algorithm === null) return failure("the token is signed with an algorithm not taken");
  // RFC 7515 section 4.1.11: extensions that must be understood; there is none.
  if (header["crit"] !== undefined) return failure("the token has critical extensions");
  const { kid } = header;
  const signingInput = encodeText(`${headerText}.${claimsText}`);
  const keyId = typeof kid === "string" ? kid : null;
  return { kind: "ok", jwt: { algorithm, keyId, claims, signature, signingInput } };
}

/** Whether the token was signed with this key. */
export async function isSigned(jwt: Jwt, { algorithm, key }: VerificationKey): Promise<boolean> {
  if (algorithm !== jwt.algorithm) return false;
  return await crypto.subtle.verify(PARAMS[algorithm], key, jwt.signature, jwt.signingInput);
}

const PARAMS = {
  RS256: { name: "RSASSA-PKCS1-v1_5" },
  ES256: { name: "ECDSA", hash: "SHA-256" },
  EdDSA: { name: "Ed25519" },
} as const;

function objectOf(text: string): Claims | null {
  const bytes = decodeBase64Url(text);
  return bytes === null ? null : jsonObject(decodeText(bytes));
}

function failure(reason: string): JwtResult {
  return { kind: "error", reason };
}
