import { ContentScanner } from "../wire/content_scanner.ts";
import { TOO_LARGE } from "./extensions/size.ts";
import { IncomingMessage } from "./incoming_message.ts";
import { transactionOf } from "./state.ts";
import type { VerbResult, VerbSession } from "./verb.ts";

const CRLF = new Uint8Array([0x0d, 0x0a]);

/** A message that comes in chunks (RFC 3030), over several commands. */
export class ChunkedMessage extends IncomingMessage {
  readonly #scanner = new ContentScanner();
  readonly #isBinary: boolean;
  readonly #maxBytes: number;

  /** Begins the message of the session's transaction. */
  constructor(session: VerbSession) {
    super(session);
    const { params, maxBytes } = transactionOf(session.state);
    this.#isBinary = params.body === "BINARYMIME";
    this.#maxBytes = maxBytes;
  }

  /** Hears the size of the next chunk, and refuses the message at once where it is too much. */
  expect(sizeBytes: number): Promise<void> | null {
    const isTooLarge = this.#maxBytes > 0 &&
      this.#scanner.sizeBytes + sizeBytes > this.#maxBytes;
    return isTooLarge ? this.refuse(TOO_LARGE) : null;
  }

  /** Takes octets of a chunk; a promise is back-pressure, and they may change only after it. */
  takePiece(piece: Uint8Array): Promise<void> | null {
    if (this.refusal !== null) return null;
    this.#scanner.scan(piece);
    return this.take([piece], this.#progress());
  }

  /** Ends the message after its last chunk, or after one that made it refused. */
  async end(): Promise<VerbResult> {
    // Only binary messages may end within a line; DATA could not carry others on.
    if (!this.#isBinary && this.refusal === null && !this.#scanner.atLineStart) {
      await this.takePiece(CRLF);
    }
    return await this.finish(this.#scanner.facts);
  }

  /** Binary messages may hold everything (RFC 3030 section 3). */
  #progress(): { readonly sizeBytes: number; readonly violation: ContentScanner["violation"] } {
    const { sizeBytes, violation } = this.#scanner;
    return { sizeBytes, violation: this.#isBinary ? null : violation };
  }
}
