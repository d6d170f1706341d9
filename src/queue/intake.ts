import type { Clock } from "../base/clock.ts";
import type { BodyFacts, Envelope, EnvelopeExtras, Origin, Recipient } from "../mail/envelope.ts";
import { headerValues } from "../mail/header_values.ts";
import type { EventSink } from "../observe/events.ts";
import type { EventRecorder } from "./outbox.ts";
import {
  type BodyPlace,
  type ClaimedMessage,
  type Lease,
  type MessageSummary,
  type NewMessage,
  type NewRecipient,
  type QueueStore,
  type SpoolWriter,
  StoreError,
} from "./store.ts";

/** The scheduler's side of fresh mail: places in its window, taken before the commit. */
export interface FreshMail {
  /** Takes places; null when the message should wait in the store like any other. */
  reserve(recipients: readonly { readonly domain: string }[], inlineBytes: number): Lease | null;
  unreserve(recipients: readonly { readonly domain: string }[], inlineBytes: number): void;
  /** The message is durable and its due recipients are claimed. */
  enterReserved(claimed: ClaimedMessage): void;
  /** A message is durable that nobody claimed yet. */
  wake(): void;
}

export interface IntakeOptions {
  /** Makes what the outbox keeps; absent when nobody asked to be told. */
  readonly record?: EventRecorder;
  readonly store: QueueStore;
  readonly scheduler: FreshMail;
  readonly clock: Clock;
  readonly emit: EventSink;
  readonly newId: () => string;
  /** Reads what lists show from the first octets of a message. */
  readonly summarize: (start: Uint8Array) => MessageSummary;
  readonly limits: IntakeLimits;
  /** Starts to sign a message; null for one that is not signed. */
  readonly sign?: (message: IncomingMessage) => SigningStream | null;
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
) => NewMessage | null;

/** Takes the octets of a message as they pass and makes fields that go in front of them. */
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
}

/**
 * The one way into the queue. Octets gather in memory up to the spool threshold and in a spool
 * file above it, so memory is bounded whatever the size; `commit` is the commit point.
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
}

const FIRST_BUFFER_BYTES = 4 * 1024;
const SPOOL_BUFFER_BYTES = 256 * 1024;
/** How much of the start of a message `summarize` sees. */
const SUMMARY_BYTES = 64 * 1024;

/** Takes the octets of one message. */
export class IntakeWriter {
  readonly id: string;
  readonly #message: IncomingMessage;
  readonly #options: IntakeOptions;
  readonly #headBytes: number;
  readonly #signing: SigningStream | null;
  #buffer: Uint8Array<ArrayBuffer>;
  #length = 0;
  #spool: SpoolWriter | null = null;
  #start: Uint8Array | null = null;
  #failure: unknown = null;

  constructor(message: IncomingMessage, options: IntakeOptions) {
    this.#message = message;
    this.#options = options;
    this.id = options.newId();
    const head = message.head(this.id);
    this.#headBytes = head.length;
    this.#buffer = new Uint8Array(Math.max(FIRST_BUFFER_BYTES, head.length));
    this.#buffer.set(head);
    this.#length = head.length;
    this.#signing = options.sign?.(message) ?? null;
    this.#signing?.write(head);
  }

  /** Copies `chunk`. A promise means the spool file must catch up first. */
  write(chunk: Uint8Array): void | Promise<void> {
    this.#signing?.write(chunk);
    const total = this.#length + chunk.length;
    if (this.#spool === null && total <= this.#options.limits.spoolThresholdBytes) {
      this.#append(chunk);
      return;
    }
    return this.#writeToSpool(chunk);
  }

  /** Makes the message durable: when it resolves with `stored`, it is on disk. */
  async commit(facts: BodyFacts): Promise<IntakeResult> {
    try {
      if (this.#failure !== null) throw this.#failure;
      const message = await this.#put(facts);
      await this.#tellExpansion(message);
      return { kind: "stored" };
    } catch (error) {
      await this.abort();
      return { kind: "failed", failure: this.#explain(error) };
    }
  }

  async abort(): Promise<void> {
    const spool = this.#spool;
    this.#spool = null;
    try {
      await spool?.discard();
    } catch (error) {
      this.#explain(error);
    }
  }

  async #put(facts: BodyFacts): Promise<NewMessage> {
    const prefix = this.#signing === null ? "" : await this.#signing.finish();
    const place = await this.#place();
    const { scheduler, store } = this.#options;
    const message = this.#withEvent(this.#newMessage(facts, { place, prefix }));
    const inlineBytes = place.kind === "inline" ? place.bytes.length : 0;
    const due = message.recipients.every(({ nextAttemptAtMs }) =>
      nextAttemptAtMs <= message.receivedAtMs
    );
    const lease = due ? scheduler.reserve(message.recipients, inlineBytes) : null;
    if (lease === null) {
      await store.put(message);
      scheduler.wake();
      return message;
    }
    try {
      await store.put({ ...message, lease });
    } catch (error) {
      scheduler.unreserve(message.recipients, inlineBytes);
      throw error;
    }
    scheduler.enterReserved(asClaimed(message));
    return message;
  }

  /** Adds that it was accepted, for those who asked to be told. */
  #withEvent(message: NewMessage): NewMessage {
    const { record } = this.#options;
    const { id: messageId, reversePath, receivedAtMs: atMs, facts, origin, recipients } = message;
    const event = record?.({
      ...{ type: "accepted", messageId, reversePath, sizeBytes: facts.sizeBytes },
      ...{ listener: origin.listener, clientAddress: origin.clientAddress },
      recipients: recipients.length,
    }, { message, atMs }) ?? null;
    return event === null ? message : { ...message, events: [event] };
  }

  /** The message is accepted already, so a notice that cannot be stored is only reported. */
  async #tellExpansion(message: NewMessage): Promise<void> {
    const { expanded } = this.#message.envelope;
    const { expansionNotice, store, scheduler } = this.#options;
    if (expanded === undefined || expansionNotice === undefined) return;
    const start = this.#start ?? this.#buffer.subarray(0, this.#length);
    try {
      const notice = expansionNotice({ message, expanded, start });
      if (notice === null) return;
      await store.put(notice);
      scheduler.wake();
    } catch (error) {
      this.#explain(error);
    }
  }

  async #place(): Promise<BodyPlace> {
    const bytes = this.#buffer.subarray(0, this.#length);
    if (this.#spool === null) return { kind: "inline", bytes };
    await this.#spool.write(bytes);
    const name = await this.#spool.finish();
    this.#spool = null;
    return { kind: "spool", name };
  }

  #newMessage(
    facts: BodyFacts,
    { place, prefix }: { place: BodyPlace; prefix: string },
  ): NewMessage {
    const { envelope, origin } = this.#message;
    const { clock, limits, summarize } = this.#options;
    const receivedAtMs = clock.now();
    const { reversePath, body, smtpUtf8, extras } = envelope;
    const nextAttemptAtMs = Math.max(receivedAtMs, extras?.holdUntilMs ?? 0);
    const start = this.#start ?? this.#buffer.subarray(0, this.#length);
    const headers = headerValues(start, limits.headerNames ?? []);
    return {
      id: this.id,
      receivedAtMs,
      reversePath,
      body,
      smtpUtf8,
      ...(extras === undefined ? {} : { extras }),
      origin,
      facts: { ...facts, sizeBytes: facts.sizeBytes + this.#headBytes + prefix.length },
      ...(prefix === "" ? {} : { prefix }),
      summary: summarize(start),
      ...(headers === null ? {} : { headers }),
      expiresAtMs: expiryOf(extras, nextAttemptAtMs + limits.expireMs),
      place,
      recipients: envelope.recipients.map((recipient) => newRecipient(recipient, nextAttemptAtMs)),
    };
  }

  async #writeToSpool(chunk: Uint8Array): Promise<void> {
    if (this.#failure !== null) return;
    try {
      this.#spool ??= this.#options.store.spool();
      this.#start ??= this.#buffer.slice(0, Math.min(this.#length, SUMMARY_BYTES));
      if (this.#length + chunk.length > SPOOL_BUFFER_BYTES) {
        await this.#spool.write(this.#buffer.subarray(0, this.#length));
        this.#length = 0;
      }
      this.#append(chunk);
    } catch (error) {
      this.#failure = error;
    }
  }

  #append(chunk: Uint8Array): void {
    const needed = this.#length + chunk.length;
    if (needed > this.#buffer.length) {
      const grown = new Uint8Array(Math.max(needed, this.#buffer.length * 2));
      grown.set(this.#buffer.subarray(0, this.#length));
      this.#buffer = grown;
    }
    this.#buffer.set(chunk, this.#length);
    this.#length = needed;
  }

  /** Tells operators the cause and the client only its kind. */
  #explain(error: unknown): IntakeFailure {
    this.#options.emit({
      type: "trouble",
      level: "error",
      component: "queue",
      message: error instanceof Error ? error.message : String(error),
      messageId: this.id,
      cause: error,
    });
    return error instanceof StoreError && error.kind === "full" ? "full" : "unavailable";
  }
}

/** A message to be returned when its time is over is of no use later (RFC 2852 section 4.1). */
function expiryOf(extras: EnvelopeExtras | undefined, expiresAtMs: number): number {
  const deliverBy = extras?.deliverBy;
  return deliverBy?.mode === "R" ? Math.min(deliverBy.deadlineMs, expiresAtMs) : expiresAtMs;
}

function newRecipient(recipient: Recipient, nextAttemptAtMs: number): NewRecipient {
  return { ...recipient, state: "queued", nextAttemptAtMs };
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
  return place.kind === "inline"
    ? { message, recipients: records, bytes: place.bytes }
    : { message, recipients: records };
}
