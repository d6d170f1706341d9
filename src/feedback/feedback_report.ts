import { fieldValue, fieldValues, readFieldGroups } from "./field_groups.ts";

/** What a provider tells of a message that a recipient judged (RFC 5965 section 3). */
export interface FeedbackReport {
  /** `abuse`, `fraud`, `virus`, `not-spam` (RFC 6430) …, in lower case. */
  readonly type: string;
  readonly userAgent: string | null;
  readonly version: string | null;
  readonly originalEnvelopeId: string | null;
  /** Without angle brackets; empty for the null reverse-path. */
  readonly originalMailFrom: string | null;
  /** Without angle brackets; those of the removal requests of older reports are among them. */
  readonly recipients: readonly string[];
  /** As written. */
  readonly arrivalDate: string | null;
  readonly reportingMta: string | null;
  readonly sourceIp: string | null;
  /** How many reports it stands for. */
  readonly incidents: number;
  readonly reportedDomains: readonly string[];
  readonly reportedUris: readonly string[];
  readonly authenticationResults: readonly string[];
}

/** Reads the content of a `message/feedback-report` part. Null when it names no type. */
export function parseFeedbackReport(text: string): FeedbackReport | null {
  // Some providers put empty lines between the fields; there is but one group.
  const fields = readFieldGroups(text).flat();
  const type = /^[a-z0-9-]+/i.exec(fieldValue(fields, "feedback-type") ?? "")?.[0];
  if (type === undefined) return null;
  const mailFrom = fieldValue(fields, "original-mail-from");
  const recipients = [
    ...fieldValues(fields, "original-rcpt-to"),
    ...fieldValues(fields, "removal-recipient"),
  ].map(withoutBrackets).filter((mailbox) => mailbox.includes("@"));
  return {
    type: type.toLowerCase(),
    userAgent: fieldValue(fields, "user-agent"),
    version: fieldValue(fields, "version"),
    originalEnvelopeId: fieldValue(fields, "original-envelope-id"),
    originalMailFrom: mailFrom === null ? null : withoutBrackets(mailFrom),
    recipients: [...new Set(recipients)],
    arrivalDate: fieldValue(fields, "arrival-date") ?? fieldValue(fields, "received-date"),
    reportingMta: fieldValue(fields, "reporting-mta"),
    sourceIp: fieldValue(fields, "source-ip"),
    incidents: Math.max(1, Number.parseInt(fieldValue(fields, "incidents") ?? "1", 10) || 1),
    reportedDomains: fieldValues(fields, "reported-domain"),
    reportedUris: fieldValues(fields, "reported-uri"),
    authenticationResults: fieldValues(fields, "authentication-results"),
  };
}

/** The mailbox of `<ada@example.net>`, or of `rfc822; ada@example.net` as some write it. */
export function withoutBrackets(value: string): string {
  return value.replace(/^rfc822\s*;\s*/i, "").replace(/^<(.*)>$/, "$1");
}
