import type { FeedbackKind } from "../../observe/events.ts";
import { QUEUE_ID_TAG } from "../../mail/queue_id_tag.ts";
import { textAt, textsAt, valueAt } from "../../relay/http/fields.ts";
import { malformed, NO_REPORTS, type Reading } from "../source.ts";

/**
 * What an event of Resend tells. `id` is that of the webhook's request, the same at each try.
 * Resend names all recipients of a message and not the one that an event is about.
 *
 * Source: resend.com/docs/webhooks/event-types.
 */
export function resendReports(json: unknown, { id }: { id: string }): Reading {
  const type = textAt(json, "type");
  if (type === null) return malformed("it has no type");
  const data = valueAt(json, "data");
  const kind = kindOf(type, data);
  if (kind === null) return NO_REPORTS;
  const emailId = textAt(data, "email_id");
  return {
    kind: "reports",
    reports: [{
      key: id,
      kind,
      recipient: textAt(data, "email"), // of a contact
      candidates: ["to", "cc", "bcc"].flatMap((key) => textsAt(data, key)).map(addressIn),
      queueId: textAt(data, "tags", QUEUE_ID_TAG),
      remoteId: emailId === null ? null : `resend:${emailId}`,
      reason: reasonOf(data),
    }],
  };
}

function kindOf(type: string, data: unknown): FeedbackKind | null {
  switch (type) {
    case "email.delivered":
      return "delivered";
    case "email.delivery_delayed":
      return "deferred";
    case "email.bounced": // without a type it is what the documentation says of all: permanent
      return (textAt(data, "bounce", "type") ?? "Permanent") === "Permanent"
        ? "bounced"
        : "soft_bounced";
    case "email.suppressed":
      return "bounced";
    case "email.failed":
      return "soft_bounced";
    case "email.complained":
      return "complained";
    case "contact.updated":
      return valueAt(data, "unsubscribed") === true ? "unsubscribed" : null;
    default: // email.sent, email.opened, email.clicked, domain.created …
      return null;
  }
}

function reasonOf(data: unknown): string {
  const [diagnostic] = textsAt(data, "bounce", "diagnosticCode");
  return diagnostic ?? textAt(data, "bounce", "message") ??
    textAt(data, "suppressed", "message") ?? textAt(data, "failed", "reason") ?? "";
}

/** The address in `Ada <ada@x.example>`. */
function addressIn(text: string): string {
  return /<([^<>]*)>\s*$/.exec(text)?.[1] ?? text.trim();
}
