import { isAscii } from "node:buffer";
import { encodeText } from "../base/bytes.ts";
import type { BodyFacts } from "./envelope.ts";

const NUL = 0;
const LF = 10;
const CR = 13;
const DOT = 46;
const CRLF = encodeText("\r\n");

/**
 * Takes a message that came by another way than SMTP, in pieces split anywhere, and gives it the
 * lines that mail has: a line feed alone becomes CRLF, and the last line ends. What cannot be
 * lines of mail at all is remembered as `violation`, not acted on.
 */
export class BodyScan {
  #sizeBytes = 0;
  #eightBit = false;
  #dotLines = 0;
  #longestLineBytes = 0;
  #lineBytes = 0;
  /** The last piece ended in a CR, which is kept back until it is known what follows. */
  #heldCr = false;
  #violation: "bare_cr" | "nul" | null = null;

  /** The first thing found wrong so far. */
  get violation(): "bare_cr" | "nul" | null {
    return this.#violation;
  }

  /** Octets of the message so far. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** What is known of the octets given out so far. */
  get facts(): BodyFacts {
    return {
      sizeBytes: this.#sizeBytes,
      eightBit: this.#eightBit,
      dotLines: this.#dotLines,
      longestLineBytes: this.#longestLineBytes,
      lineOriented: this.#violation === null,
    };
  }

  /** Takes the next piece; what it gives out are slices of it and line breaks. */
  take(chunk: Uint8Array): Uint8Array[] {
    const pieces: Uint8Array[] = [];
    this.#eightBit ||= !isAscii(chunk);
    if (chunk.includes(NUL)) this.#violation ??= "nul";
    let from = 0;
    if (this.#heldCr && chunk.length > 0) {
      this.#heldCr = false;
      if (chunk[0] !== LF) this.#violation ??= "bare_cr";
      else {
        this.#give(pieces, CRLF);
        this.#endLine();
        from = 1;
      }
    }
    this.#passLines(pieces, chunk, from);
    return pieces;
  }

  /** The end of the message: ends its last line. */
  end(): Uint8Array[] {
    const pieces: Uint8Array[] = [];
    if (this.#heldCr) this.#violation ??= "bare_cr";
    if (this.#lineBytes > 0) {
      this.#give(pieces, CRLF);
      this.#endLine();
    }
    return pieces;
  }

  #passLines(pieces: Uint8Array[], chunk: Uint8Array, start: number): void {
    let from = start;
    let at = start;
    // Looked for once and not in each line: where there is none, that would be the whole rest.
    let cr = chunk.indexOf(CR, at);
    while (at < chunk.length) {
      const lf = chunk.indexOf(LF, at);
      const end = lf < 0 ? chunk.length : lf;
      const endsInCr = end > at && chunk[end - 1] === CR;
      const textEnd = endsInCr ? end - 1 : end;
      if (cr >= 0 && cr < at) cr = chunk.indexOf(CR, at);
      if (cr >= 0 && cr < textEnd) this.#violation ??= "bare_cr";
      if (this.#lineBytes === 0 && chunk[at] === DOT && textEnd > at) this.#dotLines++;
      this.#lineBytes += textEnd - at;
      if (lf < 0) {
        this.#heldCr = endsInCr;
        this.#give(pieces, chunk.subarray(from, textEnd));
        return;
      }
      if (!endsInCr) {
        this.#give(pieces, chunk.subarray(from, lf));
        this.#give(pieces, CRLF);
        from = lf + 1;
      }
      this.#endLine();
      at = lf + 1;
    }
    this.#give(pieces, chunk.subarray(from));
  }

  #endLine(): void {
    this.#longestLineBytes = Math.max(this.#longestLineBytes, this.#lineBytes);
    this.#lineBytes = 0;
  }

  #give(pieces: Uint8Array[], piece: Uint8Array): void {
    if (piece.length === 0) return;
    pieces.push(piece);
    this.#sizeBytes += piece.length;
  }
}
