import { isAscii } from "node:buffer";
import type { BodyFacts } from "../../mail/envelope.ts";
import type { ContentViolation } from "./content_violation.ts";

const NUL = 0x00;
const LF = 0x0a;
const CR = 0x0d;
const DOT = 0x2e;

/** What one chunk of mail data held. */
export interface DecodedData {
  /** Slices of the chunk that belong to the message, transparency removed. */
  readonly pieces: readonly Uint8Array[];
  /** How many octets of the chunk are mail data; fewer than all only after the end. */
  readonly consumed: number;
  /** Whether the end of mail data was in the chunk. */
  readonly done: boolean;
}

type Place =
  /** The next octet begins a line. */
  | "line_start"
  /** A dot that began a line was taken away. */
  | "after_dot"
  /** That dot and a CR ended the chunk: perhaps the end of mail data. */
  | "after_dot_cr"
  | "in_line";

/**
 * Takes the transparency of RFC 5321 4.5.2 out of mail data that arrives in chunks, split
 * anywhere. The end is CRLF "." CRLF and nothing else. A violation is remembered, not acted on:
 * the decoder stays in step to the true end, where the session refuses the message. What it
 * yields after a violation is not exact.
 */
export class DotDecoder {
  #place: Place = "line_start"; // the CRLF of DATA counts, RFC 5321 4.1.1.4
  #afterCr = false;
  #lineBytes = 0;
  #sizeBytes = 0;
  #eightBit = false;
  #dotLines = 0;
  #longestLineBytes = 0;
  #violation: ContentViolation | null = null;

  /** The first thing found wrong so far. */
  get violation(): ContentViolation | null {
    return this.#violation;
  }

  /** Octets of the message so far. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** What is known of the octets so far; exact after the end of a message without violation. */
  get facts(): BodyFacts {
    return {
      sizeBytes: this.#sizeBytes,
      eightBit: this.#eightBit,
      dotLines: this.#dotLines,
      longestLineBytes: this.#longestLineBytes,
      lineOriented: this.#violation === null,
    };
  }

  /** Decodes the next chunk. */
  decode(chunk: Uint8Array): DecodedData {
    const pieces: Uint8Array[] = [];
    let from = 0;
    let at = 0;
    while (at < chunk.length) {
      const octet = chunk[at];
      if (this.#place === "in_line") {
        at = this.#passLine(chunk, at);
      } else if (this.#place === "line_start") {
        this.#place = octet === DOT ? "after_dot" : "in_line";
        if (octet !== DOT) continue;
        this.#keep(pieces, chunk.subarray(from, at));
        from = ++at;
      } else if (this.#place === "after_dot" && octet === CR) {
        this.#place = "after_dot_cr"; // the CR is kept back: no message may hold it here
        from = ++at;
      } else if (this.#place === "after_dot_cr" && octet === LF) {
        return { pieces, consumed: at + 1, done: true };
      } else {
        if (this.#place === "after_dot_cr") this.#violation ??= "bare_cr";
        else if (octet === DOT) this.#dotLines++;
        this.#place = "in_line";
      }
    }
    this.#keep(pieces, chunk.subarray(from));
    return { pieces, consumed: chunk.length, done: false };
  }

  /** Passes over the rest of a line, as far as the chunk has it; returns where it stopped. */
  #passLine(chunk: Uint8Array, at: number): number {
    const lf = chunk.indexOf(LF, at);
    const end = lf < 0 ? chunk.length : lf;
    const endsInCr = end > at ? chunk[end - 1] === CR : this.#afterCr;
    if (this.#violation === null) {
      // A CR is only good before an LF; at the end of a chunk that is not known yet.
      const cr = chunk.indexOf(CR, at);
      const strayBefore = this.#afterCr && end > at;
      if (strayBefore || (cr >= 0 && cr < end - 1)) this.#violation = "bare_cr";
    }
    this.#lineBytes += end - at;
    this.#afterCr = lf < 0 && endsInCr;
    if (lf < 0) return end;
    if (!endsInCr) this.#violation ??= "bare_lf";
    else this.#endLine();
    return lf + 1;
  }

  #endLine(): void {
    this.#place = "line_start";
    this.#longestLineBytes = Math.max(this.#longestLineBytes, this.#lineBytes - 1);
    this.#lineBytes = 0;
  }

  #keep(pieces: Uint8Array[], piece: Uint8Array): void {
    if (piece.length === 0) return;
    pieces.push(piece);
    this.#sizeBytes += piece.length;
    this.#eightBit ||= !isAscii(piece);
    if (this.#violation === null && piece.includes(NUL)) this.#violation = "nul";
  }
}
