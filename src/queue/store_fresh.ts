import type { BodyPlace, ClaimedMessage, Lease, NewMessage, QueueStore } from "./store.ts";

/** The scheduler's side of fresh mail: places in its window, taken before the commit. */
export interface FreshMail {
  /** Takes places; null when the message should wait in the store like any other. */
  reserve(recipients: readonly { readonly domain: string }[], inlineBytes: number): Lease | null;
  unreserve(recipients: readonly { readonly domain: string }[], inlineBytes: number): void;
  /** The message is durable and its due recipients are claimed. */
  enterReserved(claimed: ClaimedMessage, lease?: Lease): void;
  /** A message is durable that nobody claimed yet. */
  wake(): void;
}

/** What fresh messages are stored in, and who delivers them. */
export interface FreshOptions {
  readonly store: QueueStore;
  readonly scheduler: FreshMail;
}

/**
 * Stores messages in one transaction, all or none. Those for which the scheduler has places enter
 * its window with the commit; the others wait in the store.
 *
 * @throws StoreError as the store does; nothing was stored then.
 */
export async function storeFresh(
  messages: readonly NewMessage[],
  { store, scheduler }: FreshOptions,
): Promise<void> {
  const leased = messages.map((message) => withLease(message, scheduler));
  const [only] = leased;
  try {
    if (only !== undefined && leased.length === 1) await store.put(only);
    else await store.putAll(leased);
  } catch (error) {
    for (const message of leased) if (message.lease !== undefined) unreserve(message, scheduler);
    throw error;
  }
  for (const message of leased) {
    if (message.lease === undefined) scheduler.wake();
    else scheduler.enterReserved(asClaimed(message), message.lease);
  }
}

function withLease(message: NewMessage, scheduler: FreshMail): NewMessage {
  const { recipients, receivedAtMs } = message;
  const isDue = recipients.every(({ nextAttemptAtMs }) => nextAttemptAtMs <= receivedAtMs);
  const lease = isDue ? scheduler.reserve(recipients, inlineBytesOf(message)) : null;
  return lease === null ? message : { ...message, lease };
}

function unreserve(message: NewMessage, scheduler: FreshMail): void {
  scheduler.unreserve(message.recipients, inlineBytesOf(message));
}

function inlineBytesOf({ place }: NewMessage): number {
  return hasOwnBytes(place) ? place.bytes.length : 0;
}

/** The message as a claim would have brought it. */
function asClaimed(
  { place, recipients, lease: _lease, events: _events, ...message }: NewMessage,
): ClaimedMessage {
  const records = recipients.map((recipient, index) => ({
    ...recipient,
    index,
    attempts: 0,
    delayNotified: false,
    lastReply: "",
  }));
  return hasOwnBytes(place)
    ? { message, recipients: records, bytes: place.bytes }
    : { message, recipients: records };
}

/** Whether all octets are at hand. What is shared is read from the store, one message at a time. */
function hasOwnBytes(place: BodyPlace): place is Extract<BodyPlace, { kind: "inline" }> {
  return place.kind === "inline" && place.head === undefined;
}
