import type { FeedbackKind } from "../../observe/events.ts";
import { QUEUE_ID_TAG } from "../../mail/queue_id_tag.ts";
import { listAt, textAt, textsAt, valueAt } from "../../relay/http/fields.ts";
import { parseJson } from "../proof.ts";
import { malformed, NO_REPORTS, type ProviderReport, type Reading } from "../source.ts";

/** One recipient of an event. */
interface Told {
  readonly recipient: string;
  readonly reason: string;
}

/**
 * What a notification of Amazon SES tells, in the form of event publishing (`eventType`) or of
 * feedback notifications (`notificationType`), which differ in little else.
 *
 * Source: docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html.
 */
export function sesReports({ id, text }: { id: string; text: string }): Reading {
  const event = parseJson(text);
  // Amazon checks a new topic with a line of plain text.
  if (event === undefined) return NO_REPORTS;
  const type = textAt(event, "eventType") ?? textAt(event, "notificationType");
  if (type === null) return malformed("it has no eventType");
  const kind = kindOf(type, event);
  if (kind === null) return NO_REPORTS;
  const messageId = textAt(event, "mail", "messageId");
  const [queueId = null] = textsAt(event, "mail", "tags", QUEUE_ID_TAG);
  const reports = toldBy(type, event).map(({ recipient, reason }, index): ProviderReport => ({
    key: `${id} ${index}`,
    kind,
    recipient,
    queueId,
    remoteId: messageId === null ? null : `ses:${messageId}`,
    reason,
  }));
  return { kind: "reports", reports };
}

function kindOf(type: string, event: unknown): FeedbackKind | null {
  switch (type) {
    case "Delivery":
      return "delivered";
    case "DeliveryDelay":
      return "deferred";
    case "Bounce": // Transient and Undetermined are not about the mailbox for good
      return textAt(event, "bounce", "bounceType") === "Permanent" ? "bounced" : "soft_bounced";
    case "Complaint":
      return textAt(event, "complaint", "complaintFeedbackType") === "not-spam"
        ? null
        : "complained";
    case "Reject":
    case "Rendering Failure":
      return "soft_bounced";
    case "Subscription":
      return valueAt(event, "subscription", "newTopicPreferences", "unsubscribeAll") === true
        ? "unsubscribed"
        : null;
    default: // Send, Open, Click …
      return null;
  }
}

function toldBy(type: string, event: unknown): Told[] {
  switch (type) {
    case "Delivery": {
      const reason = textAt(event, "delivery", "smtpResponse") ?? "";
      return textsAt(event, "delivery", "recipients").map((recipient) => ({ recipient, reason }));
    }
    case "DeliveryDelay":
      return mailboxesIn(event, {
        path: ["deliveryDelay", "delayedRecipients"],
        reason: textAt(event, "deliveryDelay", "delayType") ?? "",
      });
    case "Bounce":
      return mailboxesIn(event, {
        path: ["bounce", "bouncedRecipients"],
        reason: [textAt(event, "bounce", "bounceType"), textAt(event, "bounce", "bounceSubType")]
          .filter((word) => word !== null).join(" "),
      });
    case "Complaint":
      return mailboxesIn(event, {
        path: ["complaint", "complainedRecipients"],
        reason: textAt(event, "complaint", "complaintFeedbackType") ?? "complaint",
      });
    default: {
      const reason = textAt(event, "reject", "reason") ??
        textAt(event, "failure", "errorMessage") ?? "";
      return textsAt(event, "mail", "destination").map((recipient) => ({ recipient, reason }));
    }
  }
}

/** Recipients with what their server said; `reason` where it said nothing. */
function mailboxesIn(
  event: unknown,
  { path, reason }: { path: readonly string[]; reason: string },
): Told[] {
  return listAt(event, ...path).flatMap((entry) => {
    const recipient = textAt(entry, "emailAddress");
    if (recipient === null) return [];
    return [{ recipient, reason: textAt(entry, "diagnosticCode") ?? reason }];
  });
}
