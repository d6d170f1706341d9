import { Buffer } from "node:buffer";

const TAB = 9;
const LF = 10;
const CR = 13;
const SPACE = 32;

/** Where canonical octets go; each piece is text in latin1, or octets. */
export type CanonSink = (piece: string | Uint8Array) => void;

/** Pieces of empty lines are at most so many lines long. */
const LINES_AT_ONCE = 1024;

/**
 * The "relaxed" form of a body (RFC 6376 section 3.4.4), as its octets pass: runs of white space
 * become one space, white space at the ends of lines and empty lines at the end go. Chunks may be
 * cut anywhere and are not kept.
 */
export class RelaxedBody {
  readonly #sink: CanonSink;
  /** Line breaks seen since the last octet that stays. */
  #breaks = 0;
  /** White space since the last octet or line break. */
  #hasSpace = false;
  /** A CR whose LF may follow. */
  #hasCr = false;
  #isEmpty = true;

  constructor(sink: CanonSink) {
    this.#sink = sink;
  }

  write(chunk: Uint8Array): void {
    let last = chunk.length;
    while (isBlank(chunk[last - 1])) last--;
    for (let at = this.#takeBlanks(chunk, 0); at < chunk.length;) {
      const end = Math.max(last, at + 1);
      this.#flush();
      this.#isEmpty = false;
      this.#content(chunk.subarray(at, end));
      at = this.#takeBlanks(chunk, end);
    }
  }

  /** The body is over. */
  end(): void {
    if (this.#hasCr) this.#keepBareCr();
    if (!this.#isEmpty) this.#sink("\r\n");
  }

  /** Takes white space and line breaks from `at` on; returns where something else stands. */
  #takeBlanks(chunk: Uint8Array, at: number): number {
    // In variables, as a body may be nothing but these.
    let [breaks, hasSpace, hasCr] = [this.#breaks, this.#hasSpace, this.#hasCr];
    for (; at < chunk.length; at++) {
      const octet = chunk[at];
      if (octet === LF) {
        if (!hasCr) break;
        hasCr = false;
        hasSpace = false;
        breaks++;
        continue;
      }
      if (hasCr) {
        [this.#breaks, this.#hasSpace] = [breaks, hasSpace];
        this.#keepBareCr();
        [breaks, hasSpace, hasCr] = [0, false, false];
      }
      if (octet === CR) hasCr = true;
      else if (octet === SPACE || octet === TAB) hasSpace = true;
      else break;
    }
    [this.#breaks, this.#hasSpace, this.#hasCr] = [breaks, hasSpace, hasCr];
    return at;
  }

  /** Lets out what was held back, since something follows it. */
  #flush(): void {
    for (; this.#breaks > 0; this.#breaks -= Math.min(this.#breaks, LINES_AT_ONCE)) {
      this.#sink("\r\n".repeat(Math.min(this.#breaks, LINES_AT_ONCE)));
    }
    if (this.#hasSpace) this.#sink(" ");
    this.#hasSpace = false;
  }

  /** A CR that no LF follows, which only binary mail has, is like any other octet. */
  #keepBareCr(): void {
    this.#flush();
    this.#sink("\r");
    this.#hasCr = false;
    this.#isEmpty = false;
  }

  /** Octets that begin and end with something other than white space and line breaks. */
  #content(octets: Uint8Array): void {
    const { buffer, byteOffset, byteLength } = octets;
    const text = Buffer.from(buffer, byteOffset, byteLength).toString("latin1");
    if (!/\t| [ \r]/.test(text)) return this.#sink(octets);
    this.#sink(withoutRuns(octets));
  }
}

/** One space for each run of white space, none before a line break. */
function withoutRuns(octets: Uint8Array): Uint8Array {
  const kept = new Uint8Array(octets.length);
  let length = 0;
  let hasSpace = false;
  for (let at = 0; at < octets.length; at++) {
    const octet = octets[at] ?? 0;
    if (octet === SPACE || octet === TAB) {
      hasSpace = true;
      continue;
    }
    if (hasSpace && !(octet === CR && octets[at + 1] === LF)) kept[length++] = SPACE;
    hasSpace = false;
    kept[length++] = octet;
  }
  return kept.subarray(0, length);
}

function isBlank(octet: number | undefined): boolean {
  return octet === SPACE || octet === TAB || octet === CR || octet === LF;
}
