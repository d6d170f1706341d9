import { isAscii } from "node:buffer";
import type { BodyFacts } from "../../mail/envelope.ts";
import type { ContentViolation } from "./content_violation.ts";

const NUL = 0x00;
const LF = 0x0a;
const CR = 0x0d;
const DOT = 0x2e;

/**
 * Learns about the octets of a message that arrive as they are, without transparency, split
 * anywhere. A violation is remembered, not acted on: BINARYMIME may hold everything.
 */
export class ContentScanner {
  #sizeBytes = 0;
  #lineBytes = 0;
  #afterCr = false;
  #eightBit = false;
  #dotLines = 0;
  #longestLineBytes = 0;
  #violation: ContentViolation | null = null;

  /** The first thing found that DATA could not carry. */
  get violation(): ContentViolation | null {
    return this.#violation;
  }

  /** Octets so far. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Whether the octets so far are whole lines. */
  get atLineStart(): boolean {
    return this.#lineBytes === 0;
  }

  /** What is known of the octets so far. */
  get facts(): BodyFacts {
    return {
      sizeBytes: this.#sizeBytes,
      eightBit: this.#eightBit,
      dotLines: this.#dotLines,
      longestLineBytes: Math.max(this.#longestLineBytes, this.#lineBytes),
      lineOriented: this.#violation === null && this.atLineStart,
    };
  }

  /** Looks at the next octets. */
  scan(piece: Uint8Array): void {
    this.#sizeBytes += piece.length;
    this.#eightBit ||= !isAscii(piece);
    if (piece.includes(NUL)) this.#violation ??= "nul";
    for (let at = 0; at < piece.length;) at = this.#passLine(piece, at);
  }

  /** Passes over the rest of a line, as far as the piece has it; returns where it stopped. */
  #passLine(piece: Uint8Array, at: number): number {
    if (this.#lineBytes === 0 && piece[at] === DOT) this.#dotLines++;
    const lf = piece.indexOf(LF, at);
    const end = lf < 0 ? piece.length : lf;
    const endsInCr = end > at ? piece[end - 1] === CR : this.#afterCr;
    const cr = piece.indexOf(CR, at);
    if ((this.#afterCr && end > at) || (cr >= 0 && cr < end - 1)) this.#violation ??= "bare_cr";
    this.#lineBytes += end - at;
    this.#afterCr = lf < 0 && endsInCr;
    if (lf < 0) return end;
    if (!endsInCr) this.#violation ??= "bare_lf";
    const lineBytes = this.#lineBytes - (endsInCr ? 1 : 0);
    if (lineBytes > this.#longestLineBytes) this.#longestLineBytes = lineBytes;
    this.#lineBytes = 0;
    return lf + 1;
  }
}
