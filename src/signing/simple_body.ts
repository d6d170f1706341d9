import type { CanonSink } from "./body_canon.ts";

const LF = 10;
const CR = 13;

/** Pieces of empty lines are at most so many lines long. */
const LINES_AT_ONCE = 1024;

/**
 * The "simple" form of a body (RFC 6376 section 3.4.3), as its octets pass: empty lines at the end
 * go, and it ends in one line break. Chunks may be cut anywhere and are not kept.
 */
export class SimpleBody {
  readonly #sink: CanonSink;
  /** Line breaks seen since the last octet that stays. */
  #breaks = 0;
  /** A CR whose LF may follow. */
  #hasCr = false;

  constructor(sink: CanonSink) {
    this.#sink = sink;
  }

  write(chunk: Uint8Array): void {
    let last = chunk.length;
    while (last > 0 && isBreak(chunk[last - 1])) last--;
    for (let at = this.#takeBreaks(chunk, 0); at < chunk.length;) {
      const end = Math.max(last, at + 1);
      this.#flush();
      this.#sink(chunk.subarray(at, end));
      at = this.#takeBreaks(chunk, end);
    }
  }

  /** The body is over. */
  end(): void {
    if (this.#hasCr) this.#keepBareCr();
    this.#sink("\r\n");
  }

  /** Takes line breaks from `at` on; returns where something else stands. */
  #takeBreaks(chunk: Uint8Array, at: number): number {
    let [breaks, hasCr] = [this.#breaks, this.#hasCr];
    for (; at < chunk.length; at++) {
      const octet = chunk[at];
      if (octet === LF) {
        if (!hasCr) break;
        hasCr = false;
        breaks++;
        continue;
      }
      if (hasCr) {
        this.#breaks = breaks;
        this.#keepBareCr();
        [breaks, hasCr] = [0, false];
      }
      if (octet !== CR) break;
      hasCr = true;
    }
    [this.#breaks, this.#hasCr] = [breaks, hasCr];
    return at;
  }

  #flush(): void {
    for (; this.#breaks > 0; this.#breaks -= Math.min(this.#breaks, LINES_AT_ONCE)) {
      this.#sink("\r\n".repeat(Math.min(this.#breaks, LINES_AT_ONCE)));
    }
  }

  /** A CR that no LF follows, which only binary mail has, is like any other octet. */
  #keepBareCr(): void {
    this.#flush();
    this.#sink("\r");
    this.#hasCr = false;
  }
}

function isBreak(octet: number | undefined): boolean {
  return octet === CR || octet === LF;
}
