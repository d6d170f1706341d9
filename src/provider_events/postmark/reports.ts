import type { FeedbackKind } from "../../observe/events.ts";
import { QUEUE_ID_TAG } from "../../mail/queue_id_tag.ts";
import { textAt, valueAt } from "../../relay/http/fields.ts";
import { sha256Hex } from "../proof.ts";
import { malformed, NO_REPORTS, type Reading } from "../source.ts";

/**
 * What the types of bounces mean that are more, or less, than a bounce. Of all others Postmark
 * says with `Inactive` whether it gave the mailbox up.
 *
 * Source: postmarkapp.com/developer/api/bounce-api, "Bounce types".
 */
const BOUNCES: Readonly<Record<string, FeedbackKind | null>> = {
  Transient: "deferred",
  DnsError: "deferred",
  SpamComplaint: "complained",
  Unsubscribe: "unsubscribed",
  // Answers of people and of their machines, not of the mail system.
  AutoResponder: null,
  AddressChange: null,
  ChallengeVerification: null,
  OpenRelayTest: null,
  Subscribe: null,
  InboundError: null,
};

const SUPPRESSIONS: Readonly<Record<string, FeedbackKind>> = {
  HardBounce: "bounced",
  SpamComplaint: "complained",
  ManualSuppression: "unsubscribed",
};

/** What a webhook of Postmark tells. Source: postmarkapp.com/developer/webhooks. */
export function postmarkReports(json: unknown): Reading {
  const type = textAt(json, "RecordType");
  if (type === null) return malformed("it has no RecordType");
  const kind = kindOf(type, json);
  if (kind === null) return NO_REPORTS;
  const recipient = textAt(json, "Email") ?? textAt(json, "Recipient");
  const messageId = textAt(json, "MessageID");
  return {
    kind: "reports",
    reports: [{
      key: keyOf(type, json),
      kind,
      recipient,
      queueId: textAt(json, "Metadata", QUEUE_ID_TAG),
      remoteId: messageId === null ? null : `postmark:${messageId}`,
      reason: reasonOf(json),
    }],
  };
}

function kindOf(type: string, json: unknown): FeedbackKind | null {
  switch (type) {
    case "Delivery":
      return "delivered";
    case "SpamComplaint":
      return "complained";
    case "Bounce": {
      const bounce = textAt(json, "Type") ?? "";
      const known = Object.hasOwn(BOUNCES, bounce) ? BOUNCES[bounce] : undefined;
      if (known !== undefined) return known;
      return valueAt(json, "Inactive") === true ? "bounced" : "soft_bounced";
    }
    case "SubscriptionChange": {
      if (valueAt(json, "SuppressSending") !== true) return null;
      const reason = textAt(json, "SuppressionReason") ?? "";
      return Object.hasOwn(SUPPRESSIONS, reason) ? SUPPRESSIONS[reason] ?? null : "unsubscribed";
    }
    default: // Open, Click …
      return null;
  }
}

/** Only bounces and complaints have an id of their own; the rest is told apart by what it says. */
function keyOf(type: string, json: unknown): string {
  const id = textAt(json, "ID");
  if (id !== null) return `${type} ${id}`;
  const parts = ["MessageID", "Recipient", "DeliveredAt", "ChangedAt", "SuppressionReason"]
    .map((name) => textAt(json, name) ?? "");
  return `${type} ${sha256Hex(parts.join("\n"))}`;
}

function reasonOf(json: unknown): string {
  return textAt(json, "Details") ?? textAt(json, "Description") ??
    textAt(json, "SuppressionReason") ?? "";
}
