import { createHash, createHmac } from "node:crypto";

/** A request to sign. */
export interface SignedRequest {
  /** Names the request; the same when it is repeated. */
  readonly id: string;
  /** Seconds since the Unix epoch. */
  readonly timestamp: number;
  readonly body: string;
}

/**
 * The fields that let a receiver tell our requests from others', and old ones from new: the scheme
 * of the transport `webhook`, without an envelope. The signature is `v1=` and the HMAC-SHA-256 of
 * timestamp, id, two empty lines and the body's SHA-256 in hexadecimal, each on a line.
 */
export function signatureFields(
  { id, timestamp, body }: SignedRequest,
  secret: string,
): Record<string, string> {
  const bodyHash = createHash("sha256").update(body).digest("hex");
  const text = [timestamp, id, "", "", bodyHash].join("\n");
  const signature = createHmac("sha256", secret).update(text).digest("hex");
  return {
    "x-posthouse-timestamp": String(timestamp),
    "x-posthouse-signature": `v1=${signature}`,
  };
}
