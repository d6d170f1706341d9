import type { Clock } from "../base/clock.ts";
import type { Envelope, Origin, Recipient } from "../mail/envelope.ts";
import type { HeaderReading, MessageHeader } from "../mail/headers.ts";
import type { EventSink } from "../observe/events.ts";
import { IntakeBatch } from "./intake_batch.ts";
import { IntakeWriter } from "./intake_writer.ts";
import type { EventRecorder } from "./outbox.ts";
import type { FreshMail } from "./store_fresh.ts";
import type { MessageSummary, NewMessage, QueueStore } from "./store.ts";

export interface IntakeOptions {
  /** Makes what the outbox keeps; absent when no events are kept. */
  readonly record?: EventRecorder;
  readonly store: QueueStore;
  readonly scheduler: FreshMail;
  readonly clock: Clock;
  readonly emit: EventSink;
  readonly newId: () => string;
  /** Reads what lists show from the header section of a message. */
  readonly summarize: (header: MessageHeader) => MessageSummary;
  readonly limits: IntakeLimits;
  /** Starts to sign a message whose header section is read; null for one that is not signed. */
  readonly sign?: (message: IncomingMessage, reading: HeaderReading) => SigningStream | null;
  /** Tells senders of aliases that were expanded; absent tells nobody. */
  readonly expansionNotice?: ExpansionNotice;
}

/** Makes what a sender is told at once of an accepted message; null where there is nobody. */
export type ExpansionNotice = (
  facts: {
    readonly message: NewMessage;
    /** The aliases that several recipients stand in for. */
    readonly expanded: readonly Recipient[];
    /** The first octets of the message, its header section among them. */
    readonly start: Uint8Array;
  },
) => NewMessage | null | Promise<NewMessage | null>;

/** Takes octets as they pass and makes fields that go in front of the message. */
export interface SigningStream {
  /** The octets may change afterwards. */
  write(chunk: Uint8Array): void;
  /** The fields in ASCII, each with its line break; empty for none. */
  finish(): Promise<string>;
}

/** Limits that a reload may change; read at each message. */
export interface IntakeLimits {
  /** Bodies up to this size stand in the database; larger ones in a spool file. */
  readonly spoolThresholdBytes: number;
  /** How long after its arrival a message is given up. */
  readonly expireMs: number;
  /** Header fields whose values are kept with the message, in lower case; absent means none. */
  readonly headerNames?: readonly string[];
}

/** Why a message could not be stored. */
export type IntakeFailure = "full" | "unavailable";
export type IntakeResult =
  | { readonly kind: "stored" }
  | { readonly kind: "failed"; readonly failure: IntakeFailure };

/** What `Intake.begin` needs of a message before its octets. */
export interface IncomingMessage {
  readonly envelope: Envelope;
  readonly origin: Origin;
  /** Makes the trace fields that go in front, for the queue id. */
  readonly head: (id: string) => Uint8Array;
  /** The trace that it is part of, where the way in knows it (W3C Trace Context 3.2). */
  readonly traceparent?: string;
}

/**
 * The one way into the queue. Octets gather in memory up to the spool threshold and in a spool
 * file above it, so memory is bounded regardless of the size; `commit` is the commit point.
 */
export class Intake {
  readonly #options: IntakeOptions;
  #limits: IntakeLimits;

  constructor(options: IntakeOptions) {
    this.#options = options;
    this.#limits = options.limits;
  }

  /** Uses other limits for messages that begin from now on. */
  replaceLimits(limits: IntakeLimits): void {
    this.#limits = limits;
  }

  /** Starts a message; exactly one of its `commit` and `abort` must follow. */
  begin(message: IncomingMessage): IntakeWriter {
    return new IntakeWriter(message, { ...this.#options, limits: this.#limits });
  }

  /** Starts `count` messages that are stored together or not at all. */
  beginBatch(count: number): IntakeBatch {
    return new IntakeBatch(count, { ...this.#options, limits: this.#limits });
  }
}
