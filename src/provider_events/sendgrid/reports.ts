import type { FeedbackKind } from "../../observe/events.ts";
import { QUEUE_ID_TAG } from "../../mail/queue_id_tag.ts";
import { textAt } from "../../relay/http/fields.ts";
import { sha256Hex } from "../proof.ts";
import { malformed, type ProviderReport, type Reading } from "../source.ts";

/** Why SendGrid drops mail that it would not deliver: the address, and not the message. */
const FINAL_DROPS = new Set([
  "bounced address",
  "unsubscribed address",
  "spam reporting address",
  "invalid",
]);

/**
 * What a batch of events of SendGrid tells. Wishes that concern one group of mail
 * (`group_unsubscribe`) are SendGrid's own to follow, which knows the groups.
 *
 * Source: twilio.com/docs/sendgrid, "Event Webhook Reference".
 */
export function sendgridReports(json: unknown): Reading {
  if (!Array.isArray(json)) return malformed("it is no list of events");
  const byKey = new Map<string, ProviderReport>();
  for (const event of json) {
    const report = reportOf(event);
    if (report !== null) byKey.set(report.key, report);
  }
  return { kind: "reports", reports: [...byKey.values()] };
}

function reportOf(event: unknown): ProviderReport | null {
  const kind = kindOf(event);
  if (kind === null) return null;
  // What SendGrid answered as X-Message-Id is the part before the first dot.
  const [messageId = ""] = (textAt(event, "sg_message_id") ?? "").split(".");
  return {
    key: textAt(event, "sg_event_id") ?? sha256Hex(JSON.stringify(event)),
    kind,
    recipient: textAt(event, "email"),
    queueId: textAt(event, QUEUE_ID_TAG),
    remoteId: messageId === "" ? null : `sendgrid:${messageId}`,
    reason: textAt(event, "reason") ?? textAt(event, "response") ?? "",
  };
}

function kindOf(event: unknown): FeedbackKind | null {
  switch (textAt(event, "event")) {
    case "delivered":
      return "delivered";
    case "deferred":
      return "deferred";
    case "bounce": // `blocked` and `expired` say nothing against the mailbox
      return (textAt(event, "type") ?? "bounce") === "bounce" ? "bounced" : "soft_bounced";
    case "dropped":
      return FINAL_DROPS.has((textAt(event, "reason") ?? "").toLowerCase())
        ? "bounced"
        : "soft_bounced";
    case "spamreport":
      return "complained";
    case "unsubscribe":
      return "unsubscribed";
    default: // processed, open, click, group_unsubscribe, group_resubscribe …
      return null;
  }
}
