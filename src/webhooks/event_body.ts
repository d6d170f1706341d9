import type { FeedbackKind, MessageEvent } from "../observe/events.ts";
import { WEBHOOK_EVENTS, type WebhookEventType } from "./event_types.ts";
import { type EventRecorder, type OutboxEvent, outboxEvent } from "../queue/outbox.ts";

const TYPES = new Set<string>(WEBHOOK_EVENTS);

/** What a next hop's successor says is told in our own words, where it changes the picture. */
const FEEDBACK_TYPES: Readonly<Record<FeedbackKind, WebhookEventType | null>> = {
  delivered: null,
  deferred: null,
  bounced: "bounced",
  soft_bounced: "bounced",
  complained: "complained",
  unsubscribed: "unsubscribed",
};

/** Makes what the outbox keeps of an event; null for events that nobody is told of. */
export const recordEvent: EventRecorder = (event, { message, atMs }): OutboxEvent | null => {
  const type = typeOf(event);
  if (type === null || !TYPES.has(type)) return null;
  const { messageId } = event;
  return outboxEvent({ type, detail: detailsOf(event) }, { messageId, message, atMs });
};

/** The word for an event; null for what nobody is told of. */
function typeOf(event: MessageEvent): string | null {
  // What may have been delivered is tried again, as what was deferred.
  if (event.type === "uncertain") return "deferred";
  return event.type === "feedback" ? FEEDBACK_TYPES[event.kind] : event.type;
}

function detailsOf(event: MessageEvent): Record<string, unknown> {
  if (event.type === "accepted") {
    const { listener, clientAddress, recipients, sizeBytes } = event;
    return { listener, clientAddress, recipients, sizeBytes };
  }
  if (event.type === "feedback") {
    const { recipient, source, reason, kind, suppressed = false } = event;
    const isBounce = kind === "bounced" || kind === "soft_bounced";
    const said = { recipient, source, reason, suppressed };
    return isBounce ? { ...said, permanent: kind === "bounced" } : said;
  }
  if ("delayMs" in event) {
    const { recipient, transport, destination, remote, reply, attempts, delayMs } = event;
    const { nextAttemptAtMs } = event;
    const next = nextAttemptAtMs === undefined
      ? {}
      : { nextAttemptAt: new Date(nextAttemptAtMs).toISOString() };
    return { recipient, transport, destination, remote, reply, attempts, delayMs, ...next };
  }
  return "by" in event ? { by: event.by, reason: event.reason ?? "" } : {};
}
