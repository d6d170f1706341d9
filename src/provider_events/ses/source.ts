import { createVerify, type KeyObject } from "node:crypto";
import type { Clock } from "../../base/clock.ts";
import { encodeText } from "../../base/bytes.ts";
import type { EventSink } from "../../observe/events.ts";
import { isRecentMs, parseJson } from "../proof.ts";
import {
  type EventRequest,
  type EventSource,
  forged,
  NO_REPORTS,
  type Reading,
} from "../source.ts";
import { sesReports } from "./reports.ts";
import { SigningKeys } from "./signing_keys.ts";
import { isSnsCertificateUrl, isSnsUrl, readSnsMessage, type SnsMessage } from "./sns_message.ts";
import { type Fetch, visit } from "./visit.ts";

/** A delivery policy may try for long; what comes twice is taken once for longer than this. */
const MAX_AGE_MS = 7 * 24 * 3_600_000;

/** The digests of signature versions, each with RSA. */
const DIGESTS: Readonly<Record<string, string>> = { "1": "RSA-SHA1", "2": "RSA-SHA256" };

/** What the endpoint of an SNS topic needs. */
export interface SesSourceOptions {
  readonly name: string;
  /** ARNs; anyone who has an account can make topics whose messages Amazon signs. */
  readonly topics: readonly string[];
  readonly fetch: Fetch;
  readonly clock: Clock;
  readonly events: EventSink;
}

/**
 * Events of Amazon SES that Amazon SNS publishes. A subscription to a configured topic is
 * confirmed by itself, once the request for it is verified.
 *
 * Source: docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html.
 */
export class SesSource implements EventSource {
  readonly name: string;
  readonly #options: SesSourceOptions;
  readonly #keys: SigningKeys;

  constructor(options: SesSourceOptions) {
    this.name = options.name;
    this.#options = options;
    this.#keys = new SigningKeys(options);
  }

  async read({ body, nowMs }: EventRequest): Promise<Reading> {
    const message = readSnsMessage(parseJson(body));
    if (message === null) return forged("it is not a message of Amazon SNS");
    const { topicArn, certificateUrl, timeMs } = message;
    if (!this.#options.topics.includes(topicArn)) return forged(`its topic is ${topicArn}`);
    if (!isSnsCertificateUrl(certificateUrl, { topicArn })) {
      return forged("its certificate is not at an address of Amazon SNS");
    }
    if (!isRecentMs(timeMs, { nowMs, maxAgeMs: MAX_AGE_MS })) return forged("it has expired");
    const key = await this.#keys.at(certificateUrl);
    if (key === null) return { kind: "undecided", why: "its certificate cannot be had" };
    if (!isSigned(message, key)) return forged("it is not signed by Amazon SNS");
    return await this.#take(message);
  }

  async #take(message: SnsMessage): Promise<Reading> {
    switch (message.kind) {
      case "Notification":
        return sesReports(message);
      case "SubscriptionConfirmation":
        return await this.#confirm(message);
      case "UnsubscribeConfirmation":
        this.#options.events({
          ...{ type: "trouble", level: "warning", component: "provider_events" },
          message: `${this.name} was unsubscribed from ${message.topicArn}`,
        });
        return NO_REPORTS;
    }
  }

  async #confirm({ topicArn, subscribeUrl }: SnsMessage): Promise<Reading> {
    if (!isSnsUrl(subscribeUrl, { topicArn })) {
      return forged("its subscription is not at an address of Amazon SNS");
    }
    const answer = await visit(subscribeUrl, this.#options);
    if (answer === null) {
      return { kind: "undecided", why: "Amazon SNS did not accept the confirmation" };
    }
    const by = `provider events ${this.name}`;
    const action = "confirmed the subscription to";
    this.#options.events({ type: "operated", by, action, target: topicArn });
    return NO_REPORTS;
  }
}

function isSigned(
  { signature, signatureVersion, signedText }: SnsMessage,
  key: KeyObject,
): boolean {
  const digest = Object.hasOwn(DIGESTS, signatureVersion) ? DIGESTS[signatureVersion] : undefined;
  if (digest === undefined) return false;
  try {
    const octets = Uint8Array.fromBase64(signature);
    return createVerify(digest).update(encodeText(signedText)).verify(key, octets);
  } catch {
    return false; // no base64, or octets that are no signature at all
  }
}
