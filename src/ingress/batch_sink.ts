import type { BodyFacts, Envelope, Origin } from "../mail/envelope.ts";
import type { HeaderReading } from "../mail/headers.ts";
import type { CommitResult } from "../smtp/server/sink.ts";

/** A message before its octets. */
export interface BatchMessage {
  readonly envelope: Envelope;
  readonly origin: Origin;
  /** The trace fields that go in front, for the queue id. */
  readonly head: (id: string) => Uint8Array;
  /** The trace it is part of. */
  readonly traceparent?: string;
}

/** Takes the octets of one message of a batch. */
export interface PartWriter {
  /** The queue id that the message has, or will have. */
  readonly id: string;
  /**
   * Copies the chunk; a promise is back-pressure. Never throws: `commit` tells of failures. The
   * first call brings the header section alone, and what is read of it.
   */
  write(chunk: Uint8Array, reading?: HeaderReading): void | Promise<void>;
  /** Ends the message; nothing is permanent before the batch's `commit`. */
  finish(facts: BodyFacts): Promise<void>;
}

/** Messages that become durable together or not at all. Exactly one of the last two follows. */
export interface MessageBatch {
  /** What the messages take of the disk so far; octets that they share count once. */
  readonly storedBytes: number;
  /** Starts the next message, after the `finish` of the one before. */
  begin(message: BatchMessage): PartWriter;
  /** Makes them durable: when it resolves with `stored`, all are on disk. */
  commit(): Promise<CommitResult>;
  /** Forgets them and frees what they held. */
  abort(): Promise<void>;
}

/** Where messages go that come by HTTP. */
export interface BatchSink {
  /** Starts a batch of `count` messages. */
  beginBatch(count: number): MessageBatch;
}
