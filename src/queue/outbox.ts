import type { MessageSummary } from "../mail/summary.ts";
import type { MessageEvent } from "../observe/events.ts";

/** Something that happened to a message, for those who asked to be told. */
export interface OutboxEvent {
  /** Queue id. */
  readonly messageId: string;
  readonly atMs: number;
  /** `accepted`, `delivered` … */
  readonly type: string;
  /** What they are told: an object in JSON. */
  readonly body: string;
}

/** What an event says of its message. */
export interface RecordedMessage {
  readonly reversePath: string;
  readonly summary: MessageSummary;
}

/** What is told of each message that a command changes. */
export interface EventOutline {
  readonly type: string;
  /** JSON values that stand beside the message. */
  readonly detail: Readonly<Record<string, unknown>>;
}

/** Makes an event of a message, of which nothing but its id may be known. */
export function outboxEvent(
  { type, detail }: EventOutline,
  { messageId, message, atMs }: {
    messageId: string;
    message: RecordedMessage | null;
    atMs: number;
  },
): OutboxEvent {
  const at = new Date(atMs).toISOString();
  const body = JSON.stringify({ type, at, message: messageOf(messageId, message), ...detail });
  return { messageId, atMs, type, body };
}

function messageOf(id: string, message: RecordedMessage | null): Record<string, string> {
  if (message === null) return { id };
  const { reversePath, summary: { subject, messageId } } = message;
  return { id, reversePath, subject, messageId };
}

/** Makes what the outbox keeps of an event; null for events that nobody is told of. */
export type EventRecorder = (
  event: MessageEvent,
  about: { readonly message: RecordedMessage | null; readonly atMs: number },
) => OutboxEvent | null;

/** An event with its place in the order in which events came. */
export interface PlacedEvent extends OutboxEvent {
  /** Counts up; gaps may be in it, and no place is given twice. */
  readonly place: number;
}

/** One request to somebody who asked to be told. */
export interface OutboxCall {
  /** Who was told. */
  readonly webhook: string;
  readonly atMs: number;
  /** The places of the first and the last event of the request. */
  readonly firstPlace: number;
  readonly lastPlace: number;
  /** Types of the events, each once. */
  readonly types: readonly string[];
  /** HTTP status; null when there was no answer. */
  readonly status: number | null;
  readonly durationMs: number;
  /** What went wrong; empty when nothing did. */
  readonly error: string;
}

export interface OutboxCallPage {
  /** Newest first. */
  readonly items: readonly (OutboxCall & { readonly id: string })[];
  /** Hand it back to get the next page; null on the last one. */
  readonly cursor: string | null;
}

/**
 * Events in their order, kept until they are old, and how far everybody who is told of them has
 * come. Most come with the `put` or `settle` that they are about, in the same transaction. Every
 * method throws `StoreError` as the store does.
 */
export interface Outbox {
  append(events: readonly OutboxEvent[]): Promise<void>;
  /** Events after a place, the earliest first. */
  read(request: { readonly after: number; readonly limit: number }): Promise<
    readonly PlacedEvent[]
  >;
  /** The place after which events came at `atMs` or later; without it, that of the last event. */
  placeBefore(atMs?: number): Promise<number>;
  /** How far somebody has come; null when nothing is known of them. */
  reached(webhook: string): Promise<number | null>;
  /** Moves somebody on, or back so that events are told again. */
  move(webhook: string, place: number): Promise<void>;
  /** Keeps a request in the log and, with a place, moves on who was told; both or neither. */
  record(call: OutboxCall, place: number | null): Promise<void>;
  calls(
    request: { readonly webhook?: string; readonly limit: number; readonly cursor?: string },
  ): Promise<OutboxCallPage>;
  /** Forgets events and requests from before a time; returns how many. */
  purge(request: { readonly beforeMs: number; readonly limit: number }): Promise<number>;
}
