import { isAscii } from "node:buffer";
import type { BodyFacts } from "../../mail/envelope.ts";
import type { ContentViolation } from "./content_violation.ts";

const NUL = 0x00;
const LF = 0x0a;
const CR = 0x0d;
const DOT = 0x2e;

/** What one chunk of mail data held. */
export interface DecodedData {
  /**
   * What of the chunk belongs to the message, transparency removed: slices of it, and blocks that
   * short slices are joined into, so that a message of dots costs no more than another.
   */
  readonly pieces: readonly Uint8Array[];
  /** How many octets of the chunk are mail data; fewer than all only after the end. */
  readonly consumed: number;
  /** Whether the end of mail data was in the chunk. */
  readonly done: boolean;
}

/** Shorter slices are joined. */
const SHORT_SLICE_BYTES = 1024;
/** Short lines are looked at octet by octet, which is faster there than two searches. */
const SHORT_LINE_BYTES = 64;

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
    const kept = new KeptSlices(chunk);
    let from = 0;
    let at = 0;
    while (at < chunk.length) {
      const octet = chunk[at];
      if (this.#place === "in_line") {
        at = this.#passLine(chunk, at);
      } else if (this.#place === "line_start") {
        if (octet === CR && chunk[at + 1] === LF) { // an empty line, of which a body may be full
          at += 2;
          continue;
        }
        this.#place = octet === DOT ? "after_dot" : "in_line";
        if (octet !== DOT) continue;
        kept.add(from, at);
        from = ++at;
      } else if (this.#place === "after_dot" && octet === CR) {
        this.#place = "after_dot_cr"; // the CR is kept back: no message may hold it here
        from = ++at;
      } else if (this.#place === "after_dot_cr" && octet === LF) {
        return { pieces: this.#look(kept.end()), consumed: at + 1, done: true };
      } else {
        if (this.#place === "after_dot_cr") this.#violation ??= "bare_cr";
        else if (octet === DOT) this.#dotLines++;
        this.#place = "in_line";
      }
    }
    kept.add(from, chunk.length);
    return { pieces: this.#look(kept.end()), consumed: chunk.length, done: false };
  }

  /** Passes over the rest of a line, as far as the chunk has it; returns where it stopped. */
  #passLine(chunk: Uint8Array, at: number): number {
    const { lf, cr } = lineEnd(chunk, at);
    const end = lf < 0 ? chunk.length : lf;
    const endsInCr = end > at ? chunk[end - 1] === CR : this.#afterCr;
    // A CR is only good before an LF; at the end of a chunk that is not known yet.
    const strayBefore = this.#afterCr && end > at;
    if (strayBefore || (cr >= 0 && cr < end - 1)) this.#violation ??= "bare_cr";
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

  #look(pieces: readonly Uint8Array[]): readonly Uint8Array[] {
    for (const piece of pieces) {
      this.#sizeBytes += piece.length;
      this.#eightBit ||= !isAscii(piece);
      if (piece.includes(NUL)) this.#violation ??= "nul";
    }
    return pieces;
  }
}

/** The first LF from `at` on, and the first CR, which matters only before it; -1 for none. */
function lineEnd(chunk: Uint8Array, at: number): { lf: number; cr: number } {
  const stop = Math.min(chunk.length, at + SHORT_LINE_BYTES);
  let cr = -1;
  for (let index = at; index < stop; index++) {
    const octet = chunk[index];
    if (octet === LF) return { lf: index, cr };
    if (octet === CR && cr < 0) cr = index;
  }
  return { lf: chunk.indexOf(LF, stop), cr: cr >= 0 ? cr : chunk.indexOf(CR, stop) };
}

/** Slices of a chunk, the short ones joined. */
class KeptSlices {
  readonly #chunk: Uint8Array;
  readonly #pieces: Uint8Array[] = [];
  #block: Uint8Array | null = null;
  /** Where the piece that is being joined begins and ends in the block. */
  #start = 0;
  #end = 0;

  constructor(chunk: Uint8Array) {
    this.#chunk = chunk;
  }

  add(from: number, to: number): void {
    const length = to - from;
    if (length >= SHORT_SLICE_BYTES || length === this.#chunk.length) {
      if (length === 0) return;
      this.#closePiece();
      this.#pieces.push(this.#chunk.subarray(from, to));
      return;
    }
    const chunk = this.#chunk;
    const block = this.#block ??= new Uint8Array(chunk.length);
    const end = this.#end;
    if (length < SHORT_LINE_BYTES) {
      for (let index = 0; index < length; index++) block[end + index] = chunk[from + index] ?? 0;
    } else block.set(chunk.subarray(from, to), end);
    this.#end = end + length;
  }

  end(): readonly Uint8Array[] {
    this.#closePiece();
    return this.#pieces;
  }

  #closePiece(): void {
    if (this.#block === null || this.#end === this.#start) return;
    this.#pieces.push(this.#block.subarray(this.#start, this.#end));
    this.#start = this.#end;
  }
}
