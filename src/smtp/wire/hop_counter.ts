const LF = 0x0a;
const CR = 0x0d;
const NAME = new TextEncoder().encode("received:");
const LOWER_CASE_BIT = 0x20;

/**
 * Counts the Received fields of a message that passes in pieces, split anywhere; a large number
 * means a loop (RFC 5321 6.3).
 */
export class HopCounter {
  #count = 0;
  #inHeader = true;
  /** How much of the name this line has matched so far; -1 when it is another field. */
  #matched = 0;

  /** How many there were so far. */
  get count(): number {
    return this.#count;
  }

  /** Looks at the next piece; does nothing once the header section is over. */
  scan(piece: Uint8Array): void {
    let at = 0;
    while (this.#inHeader && at < piece.length) {
      if (this.#matched >= 0) {
        at = this.#matchName(piece, at);
        continue;
      }
      const lf = piece.indexOf(LF, at);
      if (lf < 0) return;
      this.#matched = 0;
      at = lf + 1;
    }
  }

  #matchName(piece: Uint8Array, from: number): number {
    let at = from;
    while (at < piece.length && this.#matched >= 0) {
      const octet = piece[at] ?? 0;
      if (this.#matched === 0 && octet === CR) {
        this.#inHeader = false; // the empty line
        return at;
      }
      if ((octet | LOWER_CASE_BIT) !== NAME[this.#matched]) {
        this.#matched = -1;
        return at;
      }
      at++;
      if (++this.#matched === NAME.length) {
        this.#count++;
        this.#matched = -1;
      }
    }
    return at;
  }
}
