import { type EnhancedCode, parseEnhancedCode } from "../mail/enhanced_code.ts";
import type { DsnAction } from "../mail/dsn_types.ts";
import { decodeUtf8Xtext, decodeXtext } from "../mail/xtext.ts";
import {
  type FieldGroup,
  fieldValue,
  readFieldGroups,
  type ReportField,
  type TypedText,
  typedText,
} from "./field_groups.ts";

/** What a notification says of one recipient (RFC 3464 2.3). */
export interface RecipientStatus {
  /** Who the sender wrote to, and who it went to; without angle brackets. */
  readonly originalRecipient: TypedText | null;
  readonly finalRecipient: TypedText | null;
  /** Null for a word that the RFC does not know. */
  readonly action: DsnAction | null;
  readonly status: EnhancedCode | null;
  readonly remoteMta: TypedText | null;
  readonly diagnostic: TypedText | null;
  /** As written. */
  readonly lastAttemptDate: string | null;
  readonly finalLogId: string | null;
  readonly willRetryUntil: string | null;
  /** Fields that the RFC does not know, names in lower case. */
  readonly extensions: readonly ReportField[];
}

/** A delivery status notification (RFC 3464 2.2). */
export interface DeliveryStatus {
  /** Decoded from xtext. */
  readonly originalEnvelopeId: string | null;
  readonly reportingMta: TypedText | null;
  readonly dsnGateway: TypedText | null;
  readonly receivedFromMta: TypedText | null;
  /** As written. */
  readonly arrivalDate: string | null;
  readonly extensions: readonly ReportField[];
  /** At least one. */
  readonly recipients: readonly RecipientStatus[];
}

const ACTIONS: readonly DsnAction[] = ["failed", "delayed", "delivered", "relayed", "expanded"];
const MESSAGE_FIELDS = new Set([
  "original-envelope-id",
  "reporting-mta",
  "dsn-gateway",
  "received-from-mta",
  "arrival-date",
]);
const RECIPIENT_FIELDS = new Set([
  "original-recipient",
  "final-recipient",
  "action",
  "status",
  "remote-mta",
  "diagnostic-code",
  "last-attempt-date",
  "final-log-id",
  "will-retry-until",
]);

/**
 * Reads the content of a `message/delivery-status` or `message/global-delivery-status` part
 * (RFC 6533 section 4). Null when it tells of no recipient.
 */
export function parseDeliveryStatus(text: string): DeliveryStatus | null {
  const groups = readFieldGroups(text);
  const recipients = groups.filter(isOfRecipient).map(recipientStatus);
  if (recipients.length === 0) return null;
  const [first = []] = groups;
  const envelopeId = fieldValue(first, "original-envelope-id");
  return {
    originalEnvelopeId: envelopeId === null ? null : decodeXtext(envelopeId),
    reportingMta: typedText(fieldValue(first, "reporting-mta")),
    dsnGateway: typedText(fieldValue(first, "dsn-gateway")),
    receivedFromMta: typedText(fieldValue(first, "received-from-mta")),
    arrivalDate: fieldValue(first, "arrival-date"),
    extensions: isOfRecipient(first) ? [] : first.filter(([name]) => !MESSAGE_FIELDS.has(name)),
    recipients,
  };
}

/** Some servers leave away what the RFC requires, or the empty line before it. */
function isOfRecipient(group: FieldGroup): boolean {
  return group.some(([name]) => name === "final-recipient" || name === "action");
}

function recipientStatus(group: FieldGroup): RecipientStatus {
  return {
    originalRecipient: addressOf(fieldValue(group, "original-recipient")),
    finalRecipient: addressOf(fieldValue(group, "final-recipient")),
    action: actionOf(fieldValue(group, "action")),
    status: statusIn(fieldValue(group, "status") ?? ""),
    remoteMta: typedText(fieldValue(group, "remote-mta")),
    diagnostic: typedText(fieldValue(group, "diagnostic-code")),
    lastAttemptDate: fieldValue(group, "last-attempt-date"),
    finalLogId: fieldValue(group, "final-log-id"),
    willRetryUntil: fieldValue(group, "will-retry-until"),
    extensions: group.filter(([name]) => !RECIPIENT_FIELDS.has(name) && !MESSAGE_FIELDS.has(name)),
  };
}

/** The first status code in a text; comments may follow it (RFC 3464 2.1.1). */
export function statusIn(text: string): EnhancedCode | null {
  return parseEnhancedCode(/(?<![\d.])[245]\.\d{1,3}\.\d{1,3}(?![\d.]*\d)/.exec(text)?.[0] ?? "");
}

/** Only addresses of type utf-8 are encoded (RFC 6533 section 3). */
function addressOf(value: string | null): TypedText | null {
  const typed = typedText(value);
  if (typed === null) return null;
  const { type } = typed;
  const text = typed.text.replace(/^<(.*)>$/, "$1");
  return { type, text: type === "utf-8" ? decodeUtf8Xtext(text) : text };
}

function actionOf(value: string | null): DsnAction | null {
  const word = /^[a-z]+/i.exec(value ?? "")?.[0].toLowerCase();
  return ACTIONS.find((action) => action === word) ?? null;
}
