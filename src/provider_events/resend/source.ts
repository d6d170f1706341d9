import { fromBase64, hmacSha256, isRecent, isSame, parseJson } from "../proof.ts";
import { type EventRequest, type EventSource, forged, type Reading } from "../source.ts";
import { resendReports } from "./reports.ts";

/** Each try is signed anew, and libraries of Svix allow five minutes. */
const MAX_AGE_MS = 5 * 60_000;
/** More signatures than any change of secrets needs. */
const MAX_SIGNATURES = 20;

/** What the webhook of a Resend account needs. */
export interface ResendSourceOptions {
  readonly name: string;
  /** `whsec_` and base64. */
  readonly signingSecret: string;
}

/**
 * Webhooks of Resend, sent and signed by Svix: HMAC-SHA-256 over id, time and body, and as many
 * signatures as there are secrets in force.
 *
 * Source: docs.svix.com/receiving/verifying-payloads/how-manual.
 */
export class ResendSource implements EventSource {
  readonly name: string;
  readonly #key: Uint8Array;

  constructor({ name, signingSecret }: ResendSourceOptions) {
    const key = svixKey(signingSecret);
    if (key === null) throw new Error("Cannot use the signing secret: it is not base64");
    this.name = name;
    this.#key = key;
  }

  read({ headers, body, nowMs }: EventRequest): Reading {
    const id = headers.get("svix-id") ?? "";
    const timestamp = headers.get("svix-timestamp") ?? "";
    const expected = hmacSha256(this.#key, `${id}.${timestamp}.`, body);
    const isSigned = signaturesIn(headers.get("svix-signature") ?? "")
      .some((signature) => isSame(signature, expected));
    if (!isSigned || id === "") return forged("it is not signed with the signing secret");
    if (!isRecent(timestamp, { nowMs, maxAgeMs: MAX_AGE_MS })) return forged("it has expired");
    return resendReports(parseJson(body), { id });
  }
}

/** The octets of a secret; null when it is none. */
export function svixKey(secret: string): Uint8Array | null {
  const key = fromBase64(secret.replace(/^whsec_/, ""));
  return key === null || key.length === 0 ? null : key;
}

/** Those of the first version in `v1,BASE64 v1,BASE64`. */
function signaturesIn(field: string): Uint8Array[] {
  return field.split(" ", MAX_SIGNATURES).flatMap((part) => {
    const [version, base64 = ""] = part.split(",");
    return version === "v1" ? fromBase64(base64) ?? [] : [];
  });
}
