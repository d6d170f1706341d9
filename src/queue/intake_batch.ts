import { concatBytes } from "../base/bytes.ts";
import type { BodyFacts } from "../mail/envelope.ts";
import type { HeaderReading } from "../mail/headers.ts";
import type { IncomingMessage, IntakeOptions, IntakeResult } from "./intake.ts";
import { IntakeWriter } from "./intake_writer.ts";
import { storeFresh } from "./store_fresh.ts";
import { SharedRests } from "./shared_rest.ts";
import type { NewMessage, SpoolWriter } from "./store.ts";

/** The most octets of a batch that wait in memory for its commit; the others go to files. */
const MEMORY_BYTES = 16 * 1024 * 1024;

/** Takes the octets of one message of a batch. */
export interface PartWriter {
  readonly id: string;
  /** As that of `IntakeWriter`. */
  write(chunk: Uint8Array, reading?: HeaderReading): void | Promise<void>;
  /** Ends the message. What fails is told by the commit of the batch. */
  finish(facts: BodyFacts): Promise<void>;
}

/** Messages that are stored together or not at all. */
export class IntakeBatch {
  readonly #options: IntakeOptions;
  readonly #writers: IntakeWriter[] = [];
  readonly #messages: NewMessage[] = [];
  /** Absent where there is only one message. */
  readonly #rests: SharedRests | null;
  #headBytes = 0;
  #failure: { readonly result: IntakeResult } | null = null;

  /** `count` is how many messages there will be. */
  constructor(count: number, options: IntakeOptions) {
    const share = Math.floor(MEMORY_BYTES / Math.max(1, count));
    const spoolThresholdBytes = Math.min(options.limits.spoolThresholdBytes, share);
    this.#options = { ...options, limits: { ...options.limits, spoolThresholdBytes } };
    const spool = (): SpoolWriter => options.store.spool();
    this.#rests = count > 1
      ? new SharedRests({ spool, thresholdBytes: spoolThresholdBytes })
      : null;
  }

  /** What the messages of a batch take of the disk so far; what they share counts once. */
  get storedBytes(): number {
    return this.#headBytes + (this.#rests?.storedBytes ?? 0);
  }

  /** Starts a message; its `finish` must follow before the next one starts. */
  begin(message: IncomingMessage): PartWriter {
    const writer = new IntakeWriter(message, this.#options, this.#rests?.begin());
    this.#writers.push(writer);
    return {
      id: writer.id,
      write: (chunk, reading) => writer.write(chunk, reading),
      finish: async (facts) => {
        try {
          const stored = await writer.finish(facts);
          this.#headBytes += stored.place.head?.length ?? 0;
          this.#messages.push(stored);
        } catch (error) {
          this.#failure ??= { result: writer.failed(error) };
        }
      },
    };
  }

  /** Makes all of them durable: when it resolves with `stored`, they are on disk. */
  async commit(): Promise<IntakeResult> {
    if (this.#failure !== null) {
      await this.abort();
      return this.#failure.result;
    }
    try {
      await storeFresh(wholeWhereAlone(this.#messages), this.#options);
      return { kind: "stored" };
    } catch (error) {
      await this.abort();
      const [first] = this.#writers;
      if (first === undefined) throw error;
      return first.failed(error);
    }
  }

  /** Forgets all of them and frees what they held. */
  async abort(): Promise<void> {
    for (const writer of this.#writers) await writer.abort();
  }
}

/** The messages, those in one piece that share their octets with no other and have them at hand. */
function wholeWhereAlone(messages: readonly NewMessage[]): NewMessage[] {
  const counts = new Map<Uint8Array, number>();
  for (const { place } of messages) {
    if (place.kind === "inline") counts.set(place.bytes, (counts.get(place.bytes) ?? 0) + 1);
  }
  return messages.map((message) => {
    const { place } = message;
    if (place.kind !== "inline" || place.head === undefined) return message;
    if ((counts.get(place.bytes) ?? 0) > 1) return message;
    const bytes = concatBytes([place.head, place.bytes]);
    return { ...message, place: { kind: "inline", bytes } };
  });
}
