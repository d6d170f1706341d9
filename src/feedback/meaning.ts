import { fieldText, findField, headerSection } from "../mail/headers.ts";
import { decodeEncodedWords } from "../mail/encoded_word.ts";
import type { FeedbackKind } from "../observe/events.ts";
import { parseDeliveryStatus, type RecipientStatus } from "./delivery_status.ts";
import { type FeedbackReport, parseFeedbackReport, withoutBrackets } from "./feedback_report.ts";
import { linesOf, type PlainBounce, readPlainBounce, saidOf } from "./plain_bounce.ts";
import type { ReportParts } from "./report_reader.ts";
import { severityOf } from "./severity.ts";

/** What a report says of one recipient. */
export interface Finding {
  readonly kind: FeedbackKind;
  /** Mailboxes by which the report names it, the sender's own word for it first; may be empty. */
  readonly names: readonly string[];
  /** In a few words. */
  readonly reason: string;
}

/** What a message that came back means. */
export type Meaning =
  /** Mail was not delivered, or was, or is late. Findings may be empty: passed on, expanded. */
  | { readonly kind: "bounce"; readonly findings: readonly Finding[] }
  | { readonly kind: "complaint"; readonly findings: readonly Finding[] }
  /** Somebody's program or somebody answered: no report. */
  | { readonly kind: "reply" }
  | { readonly kind: "unclear" };

/** Says what a message means that came to an address for bounces. */
export function meaningOf(parts: ReportParts): Meaning {
  const { deliveryStatus, feedbackReport } = parts;
  const report = feedbackReport === null ? null : parseFeedbackReport(feedbackReport);
  if (report !== null) return meaningOfReport(report);
  const status = deliveryStatus === null ? null : parseDeliveryStatus(deliveryStatus);
  if (status !== null) {
    const lines = linesOf(parts.text);
    const findings = status.recipients.map((one) => findingOf(one, lines));
    return { kind: "bounce", findings: findings.filter((one) => one !== null) };
  }
  const field = fieldReader(parts.header);
  const junked = parts.returned === null ? "" : junkedBy(parts.returned);
  if (junked !== "") return complaintOf([{ kind: "complained", names: [junked], reason: "abuse" }]);
  // Servers, too, call their notifications replies: what looks like a bounce is one.
  const plain = readPlainBounce({
    from: field("from"),
    subject: field("subject"),
    failedRecipients: field("x-failed-recipients"),
  }, parts.text);
  if (plain !== null) return { kind: "bounce", findings: findingsOf(plain) };
  return isReply(field) || field("in-reply-to") !== "" ? { kind: "reply" } : { kind: "unclear" };
}

function complaintOf(findings: readonly Finding[]): Meaning {
  return { kind: "complaint", findings };
}

/** Microsoft's reports are no feedback reports: a field of the message says whom it went to. */
function junkedBy(returned: Uint8Array): string {
  return withoutBrackets(fieldReader(returned)("x-hmxmroriginalrecipient"));
}

type FieldReader = (name: string) => string;

function fieldReader(octets: Uint8Array): FieldReader {
  const section = headerSection(octets);
  return (name) => {
    const field = findField(section, name);
    return field === null ? "" : decodeEncodedWords(fieldText(octets, field));
  };
}

/** RFC 3834 section 5: an answer of a program, such as a note of absence. */
function isReply(field: FieldReader): boolean {
  return /^auto-replied/i.test(field("auto-submitted")) || field("x-autoreply") !== "" ||
    field("x-autorespond") !== "" || /auto_?reply/i.test(field("precedence"));
}

function findingOf(recipient: RecipientStatus, lines: readonly string[]): Finding | null {
  const { originalRecipient, finalRecipient, diagnostic } = recipient;
  const names = [originalRecipient, finalRecipient].map((name) => name?.text)
    .filter((name) => name !== undefined && name.includes("@")) as string[];
  const said = diagnostic?.text ?? (names[0] === undefined ? null : saidOf(lines, names[0])) ?? "";
  const kind = kindOf(recipient, said);
  if (kind === null) return null;
  return { kind, names: [...new Set(names)], reason: reasonOf(recipient, said) };
}

function kindOf({ action, status }: RecipientStatus, said: string): FeedbackKind | null {
  switch (action) {
    case "delivered":
      return "delivered";
    case "delayed":
      return "deferred";
    case "relayed":
    case "expanded":
      return null; // RFC 3464 2.3.3: nothing is known of the mailbox
    default:
      if (action === null && !status?.startsWith("5")) return null;
      return severityOf({ status, text: said }) === "hard" ? "bounced" : "soft_bounced";
  }
}

function reasonOf({ status, remoteMta, action }: RecipientStatus, said: string): string {
  const by = remoteMta === null ? "" : ` (${remoteMta.text})`;
  if (said === "") return `${status ?? ""} ${action ?? "failed"}${by}`.trim();
  const isTold = status === null || said.includes(status) || /^\d{3}[ -]\d\.\d/.test(said);
  return `${isTold ? "" : `${status} `}${said}${by}`;
}

const COMPLAINTS: ReadonlySet<string> = new Set(["abuse", "fraud", "virus", "complaint"]);
const OPT_OUTS: ReadonlySet<string> = new Set(["opt-out", "opt-out-list", "unsubscribe"]);

/** Other types, such as `not-spam`, `auth-failure` or `dmarc`, are for people to read. */
function meaningOfReport({ type, recipients, userAgent }: FeedbackReport): Meaning {
  const kind = COMPLAINTS.has(type) ? "complained" : OPT_OUTS.has(type) ? "unsubscribed" : null;
  if (kind === null) return { kind: "unclear" };
  const reason = userAgent === null ? type : `${type} (${userAgent})`;
  const named = recipients.length === 0 ? [[]] : recipients.map((mailbox) => [mailbox]);
  return complaintOf(named.map((names) => ({ kind, names, reason })));
}

function findingsOf({ action, recipients, reason, isPermanent }: PlainBounce): Finding[] {
  const kind = action === "delayed"
    ? "deferred"
    : isPermanent === true && severityOf({ status: null, text: reason }) === "hard"
    ? "bounced"
    : "soft_bounced";
  const named = recipients.length === 0 ? [[]] : recipients.map((mailbox) => [mailbox]);
  return named.map((names) => ({ kind, names, reason }));
}
