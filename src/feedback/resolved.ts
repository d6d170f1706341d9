import type { FeedbackKind, MessageEvent } from "../observe/events.ts";
import type { MessageDetail, RecipientRecord, Settlement } from "../queue/store.ts";

/**
 * Recipients of whom it was open whether a next hop took their mail, as its answer was lost, and
 * of whom it is known now: who tells that mail arrived, or is late, has it. They need not get it
 * twice. An attempt that is under way finds out by itself.
 */
export function resolvedBy(
  kind: FeedbackKind,
  { detail: { recipients }, indexes }: {
    detail: Pick<MessageDetail, "recipients">;
    indexes: readonly number[];
  },
): RecipientRecord[] {
  if (kind !== "delivered" && kind !== "deferred") return [];
  return recipients.filter(({ index, state, claimedBy }) =>
    indexes.includes(index) && (state === "queued" || state === "held") && claimedBy === null
  );
}

/** What the queue is told of them. */
export function resolution(
  recipients: readonly RecipientRecord[],
  { source }: { source: string },
): Settlement["recipients"] {
  const disposition = { kind: "final", state: "delivered" } as const;
  return recipients.map(({ index }) => ({ index, disposition, reply: replyOf(source) }));
}

/** The events that tell of them what an attempt would have told. */
export function resolutionEvents(
  recipients: readonly RecipientRecord[],
  { source, message, nowMs }: { source: string; message: MessageDetail["message"]; nowMs: number },
): MessageEvent[] {
  return recipients.map(({ forwardPath, transport = source, attempts }) => ({
    ...{ type: "delivered", messageId: message.id, recipient: forwardPath, transport },
    ...{ destination: "", remote: "", reply: replyOf(source), attempts: attempts + 1 },
    delayMs: nowMs - message.receivedAtMs,
  }));
}

function replyOf(source: string): string {
  return `250 2.0.0 Accepted, reported by ${source}`;
}
