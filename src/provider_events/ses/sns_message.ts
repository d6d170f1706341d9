import { textAt, valueAt } from "../../relay/http/fields.ts";

const KINDS = ["Notification", "SubscriptionConfirmation", "UnsubscribeConfirmation"] as const;

/** A message of Amazon SNS to an HTTP endpoint, not verified yet. */
export interface SnsMessage {
  readonly kind: typeof KINDS[number];
  readonly id: string;
  readonly topicArn: string;
  /** NaN where it is none. */
  readonly timeMs: number;
  readonly text: string;
  readonly signature: string;
  readonly signatureVersion: string;
  /** Where the certificate of the key is that signed it. */
  readonly certificateUrl: string;
  /** Whom to ask so that notifications come; empty in a notification. */
  readonly subscribeUrl: string;
  /** What is signed. */
  readonly signedText: string;
}

const NOTIFICATION_KEYS = ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"];
const SUBSCRIPTION_KEYS = [
  ...["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"],
];

/**
 * Reads a message; null when it is none.
 *
 * Source: docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html.
 */
export function readSnsMessage(json: unknown): SnsMessage | null {
  const kind = KINDS.find((name) => name === textAt(json, "Type"));
  const id = textAt(json, "MessageId");
  const topicArn = textAt(json, "TopicArn");
  if (kind === undefined || id === null || topicArn === null) return null;
  const keys = kind === "Notification" ? NOTIFICATION_KEYS : SUBSCRIPTION_KEYS;
  return {
    ...{ kind, id, topicArn },
    timeMs: Date.parse(textAt(json, "Timestamp") ?? ""),
    text: textAt(json, "Message") ?? "",
    signature: textAt(json, "Signature") ?? "",
    signatureVersion: textAt(json, "SignatureVersion") ?? "",
    certificateUrl: textAt(json, "SigningCertURL") ?? "",
    subscribeUrl: textAt(json, "SubscribeURL") ?? "",
    signedText: signedText(json, keys),
  };
}

/** Names and values of what is there, a line each. */
function signedText(json: unknown, keys: readonly string[]): string {
  return keys.map((key) => {
    const value = valueAt(json, key);
    return typeof value === "string" ? `${key}\n${value}\n` : "";
  }).join("");
}

/**
 * Whether an address is one of Amazon SNS in the region of a topic. The addresses in a message
 * are visited before, or because, it is believed, so none may lead anywhere else.
 */
export function isSnsUrl(address: string, { topicArn }: { topicArn: string }): boolean {
  const [, partition, , region = ""] = topicArn.split(":");
  const suffix = partition === "aws-cn" ? "amazonaws.com.cn" : "amazonaws.com";
  const url = URL.parse(address);
  return url !== null && /^[a-z\d-]+$/.test(region) && url.protocol === "https:" &&
    url.host === `sns.${region}.${suffix}` && url.username === "" && url.password === "";
}

/** Amazon's names for certificates; each other address would be one more to visit. */
const CERTIFICATE_PATH = /^\/SimpleNotificationService-[\w-]{1,64}\.pem$/;

/** Whether the address is also one of a certificate. */
export function isSnsCertificateUrl(address: string, topic: { topicArn: string }): boolean {
  if (!isSnsUrl(address, topic)) return false;
  const { pathname, search, hash } = new URL(address);
  return CERTIFICATE_PATH.test(pathname) && search === "" && hash === "";
}
