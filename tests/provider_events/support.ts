/** Requests as providers make them, signed as they sign. */
import { createHmac, createSign, generateKeyPairSync, type KeyObject } from "node:crypto";
import { encodeText } from "../../src/base/bytes.ts";
import type { EventRequest, EventSource, Reading } from "../../src/provider_events/source.ts";
import { testAuthority } from "../support/certificates.ts";

/** When the tests take place. */
export const NOW_MS = Date.UTC(2026, 0, 2, 3, 4, 5);
export const NOW_SECONDS = String(NOW_MS / 1000);

export const MAILGUN_KEY = "key-example-signing";
export const SVIX_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
export const TOPIC = "arn:aws:sns:eu-central-1:123456789012:mail-events";
export const CERTIFICATE_URL =
  "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-1.pem";

/** A request with a body of text. */
export function requestOf(
  body: string,
  { headers = {}, nowMs = NOW_MS }: {
    headers?: Readonly<Record<string, string>>;
    nowMs?: number;
  } = {},
): EventRequest {
  return { headers: new Headers(headers), body: encodeText(body), nowMs };
}

/** What a source makes of a body; the reports, or the kind of the refusal. */
export async function readingOf(source: EventSource, request: EventRequest): Promise<Reading> {
  return await source.read(request);
}

/** The body that Mailgun makes of an event. */
export function mailgunBody(
  event: Readonly<Record<string, unknown>>,
  { key = MAILGUN_KEY, timestamp = NOW_SECONDS, token = "a".repeat(50) }: {
    key?: string;
    timestamp?: string;
    token?: string;
  } = {},
): string {
  const signature = createHmac("sha256", key).update(timestamp + token).digest("hex");
  return JSON.stringify({ signature: { timestamp, token, signature }, "event-data": event });
}

/** An account of SendGrid with the key of its webhook. */
export function sendgridSigner(): {
  readonly publicKey: string;
  headers(body: string, timestamp?: string): Record<string, string>;
} {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return {
    publicKey: publicKey.export({ type: "spki", format: "der" }).toString("base64"),
    headers: (body, timestamp = NOW_SECONDS) => ({
      "x-twilio-email-event-webhook-timestamp": timestamp,
      "x-twilio-email-event-webhook-signature": createSign("sha256").update(timestamp + body)
        .sign(privateKey, "base64"),
    }),
  };
}

/** Amazon SNS: a certificate and what is signed with its key. */
export function snsSigner(): {
  readonly certificate: string;
  message(fields?: Readonly<Record<string, string>>): Record<string, string>;
} {
  const { certificate, key } = testAuthority().issue({
    names: ["sns.amazonaws.com"],
    keyType: "rsa",
  });
  return { certificate, message: (fields = {}) => snsMessage(fields, key) };
}

function snsMessage(
  fields: Readonly<Record<string, string>>,
  key: string | KeyObject,
): Record<string, string> {
  const message: Record<string, string> = {
    Type: "Notification",
    MessageId: "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
    TopicArn: TOPIC,
    Message: '{"eventType":"Open"}',
    Timestamp: new Date(NOW_MS).toISOString(),
    SignatureVersion: "1",
    SigningCertURL: CERTIFICATE_URL,
    ...fields,
  };
  const names = message["Type"] === "Notification"
    ? ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"]
    : ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"];
  const text = names.filter((name) => message[name] !== undefined)
    .map((name) => `${name}\n${message[name]}\n`).join("");
  const digest = message["SignatureVersion"] === "2" ? "RSA-SHA256" : "RSA-SHA1";
  return { Signature: createSign(digest).update(text).sign(key, "base64"), ...message };
}
