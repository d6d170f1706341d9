import type { BodyFacts } from "../mail/envelope.ts";
import type { HeaderReading } from "../mail/headers.ts";
import type { IncomingMessage, IntakeOptions, IntakeResult } from "./intake.ts";
import { IntakeWriter } from "./intake_writer.ts";
import { storeFresh } from "./store_fresh.ts";
import type { NewMessage } from "./store.ts";

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
  #failure: { readonly result: IntakeResult } | null = null;

  /** `count` is how many messages there will be. */
  constructor(count: number, options: IntakeOptions) {
    const share = Math.floor(MEMORY_BYTES / Math.max(1, count));
    const spoolThresholdBytes = Math.min(options.limits.spoolThresholdBytes, share);
    this.#options = { ...options, limits: { ...options.limits, spoolThresholdBytes } };
  }

  /** Starts a message; its `finish` must follow before the next one starts. */
  begin(message: IncomingMessage): PartWriter {
    const writer = new IntakeWriter(message, this.#options);
    this.#writers.push(writer);
    return {
      id: writer.id,
      write: (chunk, reading) => writer.write(chunk, reading),
      finish: async (facts) => {
        try {
          this.#messages.push(await writer.finish(facts));
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
      await storeFresh(this.#messages, this.#options);
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
