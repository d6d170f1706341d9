import { isAscii } from "node:buffer";
import type { BodyFacts, EnvelopeExtras, Recipient } from "../mail/envelope.ts";
import { headerValues } from "../mail/header_values.ts";
import { type HeaderReading, type MessageHeader, readHeader } from "../mail/headers.ts";
import type {
  IncomingMessage,
  IntakeFailure,
  IntakeOptions,
  IntakeResult,
  SigningStream,
} from "./intake.ts";
import type { RestWriter } from "./shared_rest.ts";
import {
  type BodyPlace,
  type NewMessage,
  type NewRecipient,
  type SpoolWriter,
  StoreError,
} from "./store.ts";
import { storeFresh } from "./store_fresh.ts";

const NOTHING = new Uint8Array(0);
const FIRST_BUFFER_BYTES = 4 * 1024;
const SPOOL_BUFFER_BYTES = 256 * 1024;
/** How much of the start of a message a notice of its expansion sees. */
const START_BYTES = 64 * 1024;

/** Takes the octets of one message. */
export class IntakeWriter {
  readonly id: string;
  readonly #message: IncomingMessage;
  readonly #options: IntakeOptions;
  readonly #headBytes: number;
  readonly #isHeadAscii: boolean;
  readonly #rest: RestWriter | null;
  #signing: SigningStream | null = null;
  #buffer: Uint8Array<ArrayBuffer>;
  #length = 0;
  #spool: SpoolWriter | null = null;
  #start: Uint8Array | null = null;
  #header: MessageHeader | null = null;
  #failure: unknown = null;

  /** What is behind the header section goes to `rest`, where there is one. */
  constructor(message: IncomingMessage, options: IntakeOptions, rest: RestWriter | null = null) {
    this.#message = message;
    this.#rest = rest;
    this.#options = options;
    this.id = options.newId();
    const head = message.head(this.id);
    this.#headBytes = head.length;
    this.#isHeadAscii = isAscii(head);
    this.#buffer = new Uint8Array(Math.max(FIRST_BUFFER_BYTES, head.length));
    this.#buffer.set(head);
    this.#length = head.length;
  }

  /**
   * Copies `chunk`. A promise means the spool file must catch up first. The first call brings the
   * header section alone with what is read of it; without that, which is for mail of the relay's
   * own, it brings the whole section.
   */
  write(chunk: Uint8Array, reading?: HeaderReading): void | Promise<void> {
    if (this.#header === null) {
      this.#begin(chunk, reading);
      if (this.#rest !== null) return this.#append(chunk);
    } else this.#signing?.write(chunk);
    if (this.#rest !== null) return this.#writeRest(this.#rest, chunk);
    const total = this.#length + chunk.length;
    if (this.#spool === null && total <= this.#options.limits.spoolThresholdBytes) {
      this.#append(chunk);
      return;
    }
    return this.#writeToSpool(chunk);
  }

  #begin(chunk: Uint8Array, reading: HeaderReading = ownReading(chunk)): void {
    const { header } = reading;
    this.#header = header;
    this.#signing = this.#options.sign?.(this.#message, reading) ?? null;
    this.#signing?.write(chunk.subarray(header.bodyOffset));
  }

  /** Makes the message durable: when it resolves with `stored`, it is on disk. */
  async commit(facts: BodyFacts): Promise<IntakeResult> {
    try {
      const message = await this.finish(facts);
      await storeFresh([message], this.#options);
      await this.#tellExpansion(message);
      return { kind: "stored" };
    } catch (error) {
      await this.abort();
      return this.failed(error);
    }
  }

  async abort(): Promise<void> {
    const spool = this.#spool;
    this.#spool = null;
    try {
      await spool?.discard();
      await this.#rest?.discard();
    } catch (error) {
      this.#explain(error);
    }
  }

  /** Tells operators why it cannot be stored, and makes the result of it. */
  failed(error: unknown): IntakeResult {
    return { kind: "failed", failure: this.#explain(error) };
  }

  /** Ends the message: what is to be stored of it. Nothing but `abort` may follow. */
  async finish(facts: BodyFacts): Promise<NewMessage> {
    if (this.#failure !== null) throw this.#failure;
    const prefix = this.#signing === null ? "" : await this.#signing.finish();
    const place = await this.#place();
    const message = this.#withEvent(this.#newMessage(facts, { place, prefix }));
    if (place.kind === "spool" && this.#rest === null) this.#buffer = NOTHING;
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
      const notice = await expansionNotice({ message, expanded, start });
      if (notice === null) return;
      await store.put(notice);
      scheduler.wake();
    } catch (error) {
      this.#explain(error);
    }
  }

  async #place(): Promise<BodyPlace> {
    const bytes = this.#buffer.subarray(0, this.#length);
    if (this.#rest !== null) return { ...await this.#rest.finish(), head: bytes };
    if (this.#spool === null) return { kind: "inline", bytes };
    await this.#spool.write(bytes);
    const name = await this.#spool.finish();
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
    const header = this.#header ?? readHeader(NOTHING);
    const headers = this.#headers(header);
    return {
      id: this.id,
      receivedAtMs,
      reversePath,
      body,
      smtpUtf8,
      ...(extras === undefined ? {} : { extras }),
      origin,
      facts: {
        ...facts,
        sizeBytes: facts.sizeBytes + this.#headBytes + prefix.length,
        eightBit: facts.eightBit || !this.#isHeadAscii,
      },
      ...(prefix === "" ? {} : { prefix }),
      summary: summarize(header),
      ...(headers === null ? {} : { headers }),
      expiresAtMs: expiryOf(extras, nextAttemptAtMs + limits.expireMs),
      place,
      recipients: envelope.recipients.map((recipient) => newRecipient(recipient, nextAttemptAtMs)),
    };
  }

  #headers(header: MessageHeader): NonNullable<NewMessage["headers"]> | null {
    const { traceparent } = this.#message;
    const values = headerValues(header, this.#options.limits.headerNames ?? []);
    return traceparent === undefined ? values : { ...values, traceparent: [traceparent] };
  }

  #writeRest(rest: RestWriter, chunk: Uint8Array): void | Promise<void> {
    if (this.#failure !== null) return;
    const written = rest.write(chunk);
    if (!(written instanceof Promise)) return;
    return written.catch(async (error: unknown) => {
      this.#failure = error;
      await this.abort();
    });
  }

  async #writeToSpool(chunk: Uint8Array): Promise<void> {
    if (this.#failure !== null) return;
    try {
      this.#spool ??= this.#options.store.spool();
      this.#start ??= this.#buffer.slice(0, Math.min(this.#length, START_BYTES));
      if (this.#length + chunk.length > SPOOL_BUFFER_BYTES) {
        await this.#spool.write(this.#buffer.subarray(0, this.#length));
        this.#length = 0;
      }
      this.#append(chunk);
    } catch (error) {
      this.#failure = error;
      await this.abort(); // The rest of the message may be long in coming.
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

/** The relay may speak for itself. */
function ownReading(octets: Uint8Array): HeaderReading {
  return { header: readHeader(octets.slice()), mayAuthor: true };
}

/** A message to be returned when its time is over is of no use later (RFC 2852 section 4.1). */
function expiryOf(extras: EnvelopeExtras | undefined, expiresAtMs: number): number {
  const deliverBy = extras?.deliverBy;
  return deliverBy?.mode === "R" ? Math.min(deliverBy.deadlineMs, expiresAtMs) : expiresAtMs;
}

function newRecipient(recipient: Recipient, nextAttemptAtMs: number): NewRecipient {
  return { ...recipient, state: "queued", nextAttemptAtMs };
}
