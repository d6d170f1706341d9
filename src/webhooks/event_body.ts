import type { MessageEvent } from "../observe/events.ts";
import type { EventRecorder, OutboxEvent, RecordedMessage } from "../queue/outbox.ts";

/** What can be told to webhooks. */
export const WEBHOOK_EVENTS = [
  "accepted",
  "deferred",
  "delivered",
  "bounced",
  "expired",
  "held",
  "suppressed",
] as const;
export type WebhookEventType = typeof WEBHOOK_EVENTS[number];

const TYPES = new Set<string>(WEBHOOK_EVENTS);

/** Makes what the outbox keeps of an event; null for events that nobody is told of. */
export const recordEvent: EventRecorder = (event, { message, atMs }): OutboxEvent | null => {
  // What may have been delivered is tried again, as what was deferred.
  const type = event.type === "uncertain" ? "deferred" : event.type;
  if (!TYPES.has(type)) return null;
  const body = JSON.stringify({
    type,
    at: new Date(atMs).toISOString(),
    message: messageOf(event.messageId, message),
    ...detailsOf(event),
  });
  return { messageId: event.messageId, atMs, type, body };
};

function messageOf(id: string, message: RecordedMessage | null): Record<string, string> {
  if (message === null) return { id };
  const { reversePath, summary: { subject, messageId } } = message;
  return { id, reversePath, subject, messageId };
}

function detailsOf(event: MessageEvent): Record<string, unknown> {
  if (event.type === "accepted") {
    const { listener, clientAddress, recipients, sizeBytes } = event;
    return { listener, clientAddress, recipients, sizeBytes };
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
