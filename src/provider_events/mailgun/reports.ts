import type { FeedbackKind } from "../../observe/events.ts";
import { QUEUE_ID_TAG } from "../../mail/queue_id_tag.ts";
import { textAt, valueAt } from "../../relay/http/fields.ts";
import { malformed, NO_REPORTS, type Reading } from "../source.ts";

/**
 * Why Mailgun gave up, where it is the mailbox: it does not exist, or is on the lists of those
 * that bounced, complained or unsubscribed. Anything else (`generic`, `old`, `espblock` …) may go
 * away.
 */
const FINAL_REASONS = new Set([
  "bounce",
  "suppress-bounce",
  "suppress-complaint",
  "suppress-unsubscribe",
]);

/**
 * What an event of Mailgun tells. `token` is the one of its signature: it is unique, where the id
 * of an event is so only within a day.
 *
 * Source: documentation.mailgun.com, "Event Structure".
 */
export function mailgunReports(json: unknown, { token }: { token: string }): Reading {
  const event = valueAt(json, "event-data");
  const name = textAt(event, "event");
  if (name === null) return malformed("it has no event");
  const kind = kindOf(name, event);
  if (kind === null) return NO_REPORTS;
  const recipient = textAt(event, "recipient");
  const messageId = textAt(event, "message", "headers", "message-id");
  return {
    kind: "reports",
    reports: [{
      key: token,
      kind,
      recipient,
      queueId: textAt(event, "user-variables", QUEUE_ID_TAG),
      remoteId: messageId === null ? null : `mailgun:<${messageId.replace(/^<|>$/g, "")}>`,
      reason: reasonOf(event),
    }],
  };
}

function kindOf(name: string, event: unknown): FeedbackKind | null {
  switch (name) {
    case "delivered":
    case "complained":
    case "unsubscribed":
      return name;
    case "failed":
      if (textAt(event, "severity") === "temporary") return "deferred";
      return isFinal(event) ? "bounced" : "soft_bounced";
    case "rejected": // Mailgun itself did not want it
      return "soft_bounced";
    default: // accepted, opened, clicked …
      return null;
  }
}

function isFinal(event: unknown): boolean {
  if (textAt(event, "delivery-status", "bounce-type") === "soft") return false;
  return FINAL_REASONS.has(textAt(event, "reason") ?? "");
}

function reasonOf(event: unknown): string {
  const said = textAt(event, "delivery-status", "message") ??
    textAt(event, "delivery-status", "description") ?? textAt(event, "reject", "reason");
  const code = textAt(event, "delivery-status", "code");
  const reason = textAt(event, "reason");
  if (said === null) return reason ?? "";
  return code === null || code === "0" || said.startsWith(code) ? said : `${code} ${said}`;
}
