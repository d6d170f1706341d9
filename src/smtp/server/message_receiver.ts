import { type Reply, reply } from "../../mail/reply.ts";
import type { BodyFacts } from "../../mail/envelope.ts";
import { inOneForm, withoutBcc } from "../../mail/header_form.ts";
import { HeaderReader, type MessageHeader } from "../../mail/headers.ts";
import type { AuthorDecision } from "../../policy/authors.ts";
import type { ContentViolation } from "../wire/content_violation.ts";
import { TOO_LARGE } from "./extensions/size.ts";
import type { MessageWriter, StoreFailure } from "./sink.ts";

/** What is known of the octets of a message so far; the decoders have this shape. */
export interface ContentProgress {
  readonly sizeBytes: number;
  /** What makes them unfit, if anything. */
  readonly violation: ContentViolation | null;
}

/** What became of a message. */
export interface MessageOutcome {
  /** True exactly where it is durable and the reply is 250. */
  readonly accepted: boolean;
  readonly reply: Reply;
  readonly sizeBytes: number;
  /** What the log is told, where the reply does not tell it. */
  readonly cause?: string;
}

/** What a message must keep to. */
export interface ReceiverRules {
  /** Octets; 0 means no limit. */
  readonly maxBytes: number;
  /** The checks of the content. */
  readonly judge: (header: MessageHeader) => AuthorDecision;
  /** Whether fields go that name recipients whom the others shall not see. */
  readonly hidesBcc: boolean;
}

const VIOLATIONS: Readonly<Record<ContentViolation, Reply>> = {
  bare_cr: reply(554, "5.6.0", "Message has CR without LF; lines end with CRLF"),
  bare_lf: reply(554, "5.6.0", "Message has LF without CR; lines end with CRLF"),
  nul: reply(554, "5.6.0", "Message has a NUL octet"),
};
const FAILURES: Readonly<Record<StoreFailure, Reply>> = {
  full: reply(452, "4.3.1", "Insufficient storage, try again later"),
  unavailable: reply(451, "4.3.0", "Cannot store the message, try again later"),
};

/**
 * Passes the octets of one message to its writer, within limits: the header section once it is
 * whole and judged, then what follows as it comes. Once the message is refused its other octets go
 * nowhere, so that the dialogue can stay in step.
 */
export class MessageReceiver {
  readonly #writer: MessageWriter;
  readonly #rules: ReceiverRules;
  readonly #header = new HeaderReader();
  #refusal: Reply | null = null;
  #sizeBytes = 0;
  /** Octets that the header section has more in the form in which it is stored. */
  #addedBytes = 0;
  /** Whether the writer still waits for its end. */
  #open = true;

  constructor(writer: MessageWriter, rules: ReceiverRules) {
    this.#writer = writer;
    this.#rules = rules;
  }

  /** Why the message will not be accepted; null as long as it may be. */
  get refusal(): Reply | null {
    return this.#refusal;
  }

  /** Takes the next octets; a promise is back-pressure, and they may change only after it. */
  take(pieces: readonly Uint8Array[], progress: ContentProgress): Promise<void> | null {
    this.#sizeBytes = progress.sizeBytes;
    if (this.#refusal !== null) return null;
    const refusal = this.#judge(progress);
    if (refusal !== null) return this.refuse(refusal);
    return this.#header.header === null ? this.#readHeader(pieces) : this.#write(pieces);
  }

  /** Refuses the message for a reason of the caller; the first one counts. */
  refuse(reply: Reply): Promise<void> {
    this.#refusal ??= reply;
    return this.abandon();
  }

  /** Forgets the message, unless it has ended already (RFC 5321 4.1.1.4). */
  abandon(): Promise<void> {
    if (!this.#open) return Promise.resolve();
    this.#open = false;
    return this.#writer.abort();
  }

  /** The commit point: makes the message durable, unless it was refused on the way. */
  async finish(facts: BodyFacts): Promise<MessageOutcome> {
    const sizeBytes = this.#sizeBytes;
    if (this.#refusal === null && this.#header.header === null) {
      await this.#passHeader([this.#header.end()]);
    }
    if (this.#refusal !== null) return { accepted: false, reply: this.#refusal, sizeBytes };
    this.#open = false;
    const result = await this.#writer.commit({
      ...facts,
      sizeBytes: facts.sizeBytes + this.#addedBytes,
    });
    if (result.kind === "stored") {
      const queued = reply(250, "2.0.0", `Ok: queued as ${this.#writer.id}`);
      return { accepted: true, reply: queued, sizeBytes };
    }
    const { failure } = result;
    return { accepted: false, reply: FAILURES[failure], sizeBytes, cause: `store: ${failure}` };
  }

  #judge({ violation, sizeBytes }: ContentProgress): Reply | null {
    if (violation !== null) return VIOLATIONS[violation];
    const { maxBytes } = this.#rules;
    return maxBytes > 0 && sizeBytes > maxBytes ? TOO_LARGE : null; // RFC 1870 section 6.3
  }

  #readHeader(pieces: readonly Uint8Array[]): Promise<void> | null {
    for (let index = 0; index < pieces.length; index++) {
      const rest = this.#header.take(pieces[index] as Uint8Array);
      if (this.#header.header !== null) {
        return this.#passHeader([rest, ...pieces.slice(index + 1)]);
      }
    }
    return null;
  }

  /** The header section is there: judges it, and hands it on with what came behind it. */
  #passHeader(rest: readonly Uint8Array[]): Promise<void> | null {
    const read = this.#header.header;
    if (read === null) return null;
    const formed = inOneForm(read, { hasBody: rest.some(({ length }) => length > 0) });
    const header = this.#rules.hidesBcc ? withoutBcc(formed) : formed;
    this.#addedBytes = header.bytes.length - read.bytes.length;
    const decision = this.#rules.judge(header);
    if (decision.kind === "refuse") return this.refuse(decision.reply);
    const { mayAuthor } = decision;
    const pending = this.#writer.write(header.bytes, { header, mayAuthor });
    return pending instanceof Promise ? this.#writeAfter(pending, rest) : this.#write(rest);
  }

  #write(pieces: readonly Uint8Array[]): Promise<void> | null {
    for (let index = 0; index < pieces.length; index++) {
      const pending = this.#writer.write(pieces[index] as Uint8Array);
      if (pending instanceof Promise) return this.#writeAfter(pending, pieces.slice(index + 1));
    }
    return null;
  }

  async #writeAfter(pending: Promise<void>, pieces: readonly Uint8Array[]): Promise<void> {
    await pending;
    for (const piece of pieces) await this.#writer.write(piece);
  }
}
