import type { InputBuffer } from "./input_buffer.ts";

const LF = 0x0a;
const CR = 0x0d;

/** What `LineReader.next` found. */
export type LineResult =
  /** A line without its CRLF; the octets are valid until the next read. */
  | { readonly kind: "line"; readonly bytes: Uint8Array }
  /** More octets are needed. */
  | { readonly kind: "incomplete" }
  /**
   * The line is too long, or has an LF without CR. It is told once, as soon as it is sure; the
   * octets up to its CRLF, which may still be to come, are thrown away.
   */
  | { readonly kind: "too_long" }
  | { readonly kind: "bare_lf" };

/** A line that came to its end, or is known to be none. */
export type WholeLine = Exclude<LineResult, { kind: "incomplete" }>;

const INCOMPLETE: LineResult = { kind: "incomplete" };
const TOO_LONG: LineResult = { kind: "too_long" };
const BARE_LF: LineResult = { kind: "bare_lf" };

/**
 * Cuts command lines out of an input buffer. CRLF ends a line and nothing else does
 * (RFC 5321 2.3.8), so one line gives one result however it was split on the way.
 */
export class LineReader {
  readonly #input: InputBuffer;
  readonly #maxLineBytes: number;
  #scanned = 0;
  #draining = false;

  /** `maxLineBytes` counts the CRLF, as RFC 5321 4.5.3.1.4 does. */
  constructor(input: InputBuffer, { maxLineBytes }: { maxLineBytes: number }) {
    this.#input = input;
    this.#maxLineBytes = maxLineBytes;
  }

  /** Whether a line has begun and its end is still to come. */
  get midLine(): boolean {
    return this.#draining || this.#input.length > 0;
  }

  /** Takes the next line out of the buffer. */
  next(): LineResult {
    if (this.#draining && !this.#drain()) return INCOMPLETE;
    const lf = this.#input.indexOf(LF, this.#scanned);
    if (lf < 0) return this.#unfinished();
    const waiting = this.#input.peek();
    if (lf === 0 || waiting[lf - 1] !== CR) return this.#refuse(BARE_LF);
    this.#scanned = 0;
    this.#input.consume(lf + 1);
    if (lf + 1 > this.#maxLineBytes) return TOO_LONG;
    return { kind: "line", bytes: waiting.subarray(0, lf - 1) };
  }

  #unfinished(): LineResult {
    this.#scanned = this.#input.length;
    return this.#input.length >= this.#maxLineBytes ? this.#refuse(TOO_LONG) : INCOMPLETE;
  }

  #refuse(result: LineResult): LineResult {
    this.#draining = true;
    this.#drain();
    return result;
  }

  /** Throws octets away up to and including the next CRLF; false when it has not come yet. */
  #drain(): boolean {
    const waiting = this.#input.peek();
    this.#scanned = 0;
    let lf = waiting.indexOf(LF);
    while (lf === 0 || (lf > 0 && waiting[lf - 1] !== CR)) lf = waiting.indexOf(LF, lf + 1);
    this.#draining = lf < 0;
    if (lf >= 0) this.#input.consume(lf + 1);
    else this.#input.consume(waiting.length - (waiting.at(-1) === CR ? 1 : 0));
    return lf >= 0;
  }
}
