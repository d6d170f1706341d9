import { createPublicKey, createVerify, type KeyObject } from "node:crypto";
import { encodeText } from "../../base/bytes.ts";
import { fromBase64, isRecent, parseJson } from "../proof.ts";
import { type EventRequest, type EventSource, forged, type Reading } from "../source.ts";
import { sendgridReports } from "./reports.ts";

/** SendGrid tries for a day. What comes twice is taken once anyway. */
const MAX_AGE_MS = 25 * 3_600_000;
const SIGNATURE = "x-twilio-email-event-webhook-signature";
const TIMESTAMP = "x-twilio-email-event-webhook-timestamp";

/** What the webhook of a SendGrid account needs. */
export interface SendgridSourceOptions {
  readonly name: string;
  /** The verification key of the signed event webhook: base64 of an SPKI structure. */
  readonly publicKey: string;
}

/**
 * The signed event webhook of SendGrid: ECDSA with SHA-256 over the time and the body.
 *
 * Source: twilio.com/docs/sendgrid, "Getting Started with the Event Webhook Security Features".
 */
export class SendgridSource implements EventSource {
  readonly name: string;
  readonly #key: KeyObject;

  constructor({ name, publicKey }: SendgridSourceOptions) {
    this.name = name;
    this.#key = verificationKey(publicKey);
  }

  read({ headers, body, nowMs }: EventRequest): Reading {
    const timestamp = headers.get(TIMESTAMP) ?? "";
    const signature = fromBase64(headers.get(SIGNATURE) ?? "");
    if (signature === null || !this.#isSigned({ timestamp, signature, body })) {
      return forged("it is not signed for the verification key");
    }
    if (!isRecent(timestamp, { nowMs, maxAgeMs: MAX_AGE_MS })) return forged("it has expired");
    return sendgridReports(parseJson(body));
  }

  #isSigned(
    { timestamp, signature, body }: { timestamp: string; signature: Uint8Array; body: Uint8Array },
  ): boolean {
    try {
      const verify = createVerify("sha256").update(encodeText(timestamp)).update(body);
      return verify.verify(this.#key, signature);
    } catch {
      return false; // octets that are no signature at all
    }
  }
}

/**
 * The key in base64 of an SPKI structure (RFC 5480).
 *
 * @throws Error when it is none, or none of ECDSA.
 */
export function verificationKey(base64: string): KeyObject {
  const key = createPublicKey({
    key: `-----BEGIN PUBLIC KEY-----\n${base64}\n-----END PUBLIC KEY-----\n`,
    format: "pem",
  });
  if (key.asymmetricKeyType === "ec") return key;
  throw new Error(`Cannot use the key: expected one of ECDSA, got ${key.asymmetricKeyType}`);
}
