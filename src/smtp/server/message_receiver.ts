import { type Reply, reply } from "../../mail/reply.ts";
import { type DataViolation, DotDecoder } from "../wire/dot_decoder.ts";
import { HopCounter } from "../wire/hop_counter.ts";
import type { InputBuffer } from "../wire/input_buffer.ts";
import { TOO_LARGE } from "./extensions/size.ts";
import type { SessionLimits } from "./limits.ts";
import type { MessageWriter, StoreFailure } from "./sink.ts";

/** What became of a message. */
export interface MessageOutcome {
  /** True exactly where it is durable and the reply is 250. */
  readonly accepted: boolean;
  readonly reply: Reply;
  readonly sizeBytes: number;
  /** What the log is told, where the reply does not tell it. */
  readonly cause?: string;
}

const LOOP = reply(554, "5.4.6", "Routing loop detected"); // RFC 5321 6.3
const VIOLATIONS: Readonly<Record<DataViolation, Reply>> = {
  bare_cr: reply(554, "5.6.0", "Message has CR without LF; lines end with CRLF"),
  bare_lf: reply(554, "5.6.0", "Message has LF without CR; lines end with CRLF"),
  nul: reply(554, "5.6.0", "Message has a NUL octet"),
};
const FAILURES: Readonly<Record<StoreFailure, Reply>> = {
  full: reply(452, "4.3.1", "Insufficient storage, try again later"),
  unavailable: reply(451, "4.3.0", "Cannot store the message, try again later"),
};

/**
 * Passes the data of one message from the input to its writer. Once the message is refused the
 * rest of it is drained, so that the dialogue stays in step.
 */
export class MessageReceiver {
  readonly #writer: MessageWriter;
  readonly #limits: SessionLimits;
  readonly #decoder = new DotDecoder();
  readonly #hops = new HopCounter();
  #refusal: Reply | null = null;
  #done = false;

  constructor(writer: MessageWriter, limits: SessionLimits) {
    this.#writer = writer;
    this.#limits = limits;
  }

  /** Whether the end of the data came. */
  get done(): boolean {
    return this.#done;
  }

  /** Takes what waits in the input; a promise is back-pressure, the input is free after it. */
  take(input: InputBuffer): Promise<void> | null {
    const { pieces, consumed, done } = this.#decoder.decode(input.peek());
    input.consume(consumed);
    this.#done = done;
    if (this.#refusal !== null) return null;
    for (const piece of pieces) this.#hops.scan(piece);
    this.#refusal = this.#judge();
    return this.#refusal === null ? this.#write(pieces) : this.#writer.abort();
  }

  /** The client left before the end: nothing was accepted (RFC 5321 4.1.1.4). */
  async abandon(): Promise<void> {
    if (this.#refusal === null) await this.#writer.abort();
  }

  /** The commit point: makes the message durable, unless it was refused on the way. */
  async finish(): Promise<MessageOutcome> {
    const sizeBytes = this.#decoder.sizeBytes;
    if (this.#refusal !== null) return { accepted: false, reply: this.#refusal, sizeBytes };
    const result = await this.#writer.commit(this.#decoder.facts);
    if (result.kind === "stored") {
      const queued = reply(250, "2.0.0", `Ok: queued as ${this.#writer.id}`);
      return { accepted: true, reply: queued, sizeBytes };
    }
    const { failure } = result;
    return { accepted: false, reply: FAILURES[failure], sizeBytes, cause: `store: ${failure}` };
  }

  #judge(): Reply | null {
    const { messageBytes, hops } = this.#limits;
    const { violation, sizeBytes } = this.#decoder;
    if (violation !== null) return VIOLATIONS[violation];
    if (messageBytes > 0 && sizeBytes > messageBytes) return TOO_LARGE; // RFC 1870 section 6.3
    return this.#hops.count > hops ? LOOP : null;
  }

  #write(pieces: readonly Uint8Array[]): Promise<void> | null {
    for (const [index, piece] of pieces.entries()) {
      const pending = this.#writer.write(piece);
      if (pending instanceof Promise) return this.#writeAfter(pending, pieces.slice(index + 1));
    }
    return null;
  }

  async #writeAfter(pending: Promise<void>, pieces: readonly Uint8Array[]): Promise<void> {
    await pending;
    for (const piece of pieces) await this.#writer.write(piece);
  }
}
