const LF = 10;
const CR = 13;

/** Finds out whether octets are lines that end in CRLF, as they pass. */
export class LineCheck {
  readonly #limitBytes: number;
  #isLines = true;
  #lineBytes = 0;
  #endedInCr = false;

  /** `limitBytes` is the longest line, without its CRLF; any where not given. */
  constructor({ limitBytes = Infinity }: { limitBytes?: number } = {}) {
    this.#limitBytes = limitBytes;
  }

  /** False after a bare CR or LF, a NUL or a line that is too long (RFC 5321 2.3.8). */
  get isLines(): boolean {
    return this.#isLines;
  }

  /** The next octets. */
  add(octets: Uint8Array): void {
    if (!this.#isLines || octets.length === 0) return;
    if (octets.includes(0)) this.#isLines = false;
    if (this.#endedInCr && octets[0] !== LF) this.#isLines = false;
    let lineStart = 0;
    for (let lf = octets.indexOf(LF); lf >= 0; lf = octets.indexOf(LF, lineStart)) {
      const hasCr = lf === 0 ? this.#endedInCr : octets[lf - 1] === CR;
      const text = octets.subarray(lineStart, Math.max(lineStart, lf - 1));
      if (!hasCr || text.includes(CR)) this.#isLines = false;
      this.#endedInCr = false;
      this.#addToLine(lf - lineStart - 1);
      this.#lineBytes = 0;
      lineStart = lf + 1;
    }
    const rest = octets.subarray(lineStart);
    if (rest.length === 0) return;
    this.#endedInCr = rest[rest.length - 1] === CR;
    if (rest.subarray(0, -1).includes(CR)) this.#isLines = false;
    this.#addToLine(rest.length);
  }

  /** They are over; the last line needs no end. */
  end(): void {
    if (this.#endedInCr) this.#isLines = false;
  }

  #addToLine(lengthBytes: number): void {
    this.#lineBytes += lengthBytes;
    const endBytes = this.#endedInCr ? 1 : 0;
    if (this.#lineBytes - endBytes > this.#limitBytes) this.#isLines = false;
  }
}
