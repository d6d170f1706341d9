import { encodeText } from "../../base/bytes.ts";
import type { Shelf } from "../../queue/shelf.ts";
import { textAt } from "../../relay/http/fields.ts";
import { fromHex, hmacSha256, isRecent, isSame, parseJson, sha256Hex } from "../proof.ts";
import { type EventRequest, type EventSource, forged, type Reading } from "../source.ts";
import { mailgunReports } from "./reports.ts";

const HOUR_MS = 3_600_000;

/** Mailgun tries for eight hours, and does not say whether it signs anew then. */
const MAX_AGE_MS = 9 * HOUR_MS;
const TOKENS = "mailgun_tokens";

/** What the webhook of a Mailgun account needs. */
export interface MailgunSourceOptions {
  readonly name: string;
  /** The account's HTTP webhook signing key. */
  readonly signingKey: string;
  readonly shelf: Shelf;
}

/**
 * Webhooks of Mailgun. What is signed is a time and a token, and not the report: anyone who saw one
 * request could make others of it. So each token is remembered for as long as its time is good,
 * and stands for the one body that it came with first.
 *
 * Source: documentation.mailgun.com, "Securing Webhooks".
 */
export class MailgunSource implements EventSource {
  readonly name: string;
  readonly #key: Uint8Array;
  readonly #shelf: Shelf;

  constructor({ name, signingKey, shelf }: MailgunSourceOptions) {
    this.name = name;
    this.#key = encodeText(signingKey);
    this.#shelf = shelf;
  }

  async read({ body, nowMs }: EventRequest): Promise<Reading> {
    const json = parseJson(body);
    const timestamp = textAt(json, "signature", "timestamp") ?? "";
    const token = textAt(json, "signature", "token") ?? "";
    const signature = fromHex(textAt(json, "signature", "signature") ?? "");
    if (signature === null || !isSame(signature, hmacSha256(this.#key, timestamp, token))) {
      return forged("it is not signed with the signing key");
    }
    if (!isRecent(timestamp, { nowMs, maxAgeMs: MAX_AGE_MS })) return forged("it has expired");
    const value = sha256Hex(body);
    const known = await this.#shelf.claim(TOKENS, {
      key: `${this.name} ${token}`,
      value,
      expiresAtMs: Number(timestamp) * 1000 + MAX_AGE_MS + HOUR_MS,
    });
    if (known !== null && known.value !== value) return forged("its token was used before");
    return mailgunReports(json, { token });
  }
}
