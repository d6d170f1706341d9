import { isAscii } from "node:buffer";
import { concatBytes, encodeText } from "../base/bytes.ts";

const LF = 10;
const CR = 13;
const EQUALS = 61;
const SPACE = 32;
const TAB = 9;
const LONGEST_LINE = 76;
const CRLF = encodeText("\r\n");
const SOFT_BREAK = encodeText("=\r\n");
const NOTHING = new Uint8Array(0);

/** Encodes the body of one entity while it passes (RFC 2045 section 6). */
export interface TransferEncoder {
  /** The encoded form of `chunk`, as far as it can be told yet. */
  encode(chunk: Uint8Array): Uint8Array;
  /** What is left. The whole does not end with a line break unless the body did. */
  end(): Uint8Array;
}

/** Octets of a whole number of lines. */
const LINE_OCTETS = 57;

/** Base64 in lines of 76 characters (RFC 2045 section 6.8). */
export class Base64Encoder implements TransferEncoder {
  #rest: Uint8Array = NOTHING;
  #isBegun = false;

  encode(chunk: Uint8Array): Uint8Array {
    const data = this.#rest.length === 0 ? chunk : concatBytes([this.#rest, chunk]);
    const whole = data.length - data.length % LINE_OCTETS;
    this.#rest = data.slice(whole);
    return this.#lines(data.subarray(0, whole));
  }

  end(): Uint8Array {
    const rest = this.#rest;
    this.#rest = NOTHING;
    return this.#lines(rest);
  }

  #lines(octets: Uint8Array): Uint8Array {
    if (octets.length === 0) return NOTHING;
    const text = octets.toBase64();
    let lines = "";
    for (let from = 0; from < text.length; from += LONGEST_LINE) {
      lines += (this.#isBegun ? "\r\n" : "") + text.slice(from, from + LONGEST_LINE);
      this.#isBegun = true;
    }
    return encodeText(lines);
  }
}

/** A line that came in pieces is encoded piece by piece when it gets longer than this. */
const HELD_LINE_BYTES = 4096;

/** Quoted-printable (RFC 2045 section 6.7) of text whose lines end in CRLF and nothing else. */
export class QuotedPrintableEncoder implements TransferEncoder {
  #held: Uint8Array = NOTHING;
  /** Characters of the encoded line so far. */
  #column = 0;

  encode(chunk: Uint8Array): Uint8Array {
    const data = this.#held.length === 0 ? chunk : concatBytes([this.#held, chunk]);
    const out: Uint8Array[] = [];
    let lineStart = 0;
    for (let lf = data.indexOf(LF); lf >= 0; lf = data.indexOf(LF, lineStart)) {
      const lineEnd = lf > lineStart && data[lf - 1] === CR ? lf - 1 : lf;
      out.push(this.#line(data.subarray(lineStart, lineEnd), { isWhole: true }), CRLF);
      this.#column = 0;
      lineStart = lf + 1;
    }
    const rest = data.subarray(lineStart);
    if (rest.length <= HELD_LINE_BYTES) this.#held = rest.slice();
    else this.#held = this.#part(rest, out);
    return concatBytes(out);
  }

  end(): Uint8Array {
    const line = this.#line(this.#held, { isWhole: true });
    this.#held = NOTHING;
    return line;
  }

  /** Encodes the beginning of a long line; the last octets may turn out to end it. */
  #part(rest: Uint8Array, out: Uint8Array[]): Uint8Array {
    const end = rest.length - 2;
    out.push(this.#line(rest.subarray(0, end), { isWhole: false }));
    return rest.slice(end);
  }

  #line(line: Uint8Array, { isWhole }: { isWhole: boolean }): Uint8Array {
    if (this.#column === 0 && isWhole && isPlain(line)) return line;
    return this.#escape(line, { isWhole });
  }

  #escape(line: Uint8Array, { isWhole }: { isWhole: boolean }): Uint8Array {
    const out = new Uint8Array(line.length * 3 + SOFT_BREAK.length * (line.length / 12 + 2));
    let length = 0;
    for (let index = 0; index < line.length; index++) {
      const octet = line[index] as number;
      const isLast = isWhole && index === line.length - 1;
      const width = needsEscape(octet, isLast) ? 3 : 1;
      if (this.#column + width >= LONGEST_LINE) { // rule 5
        out.set(SOFT_BREAK, length);
        length += SOFT_BREAK.length;
        this.#column = 0;
      }
      if (width === 1) out[length++] = octet;
      else {
        out[length++] = EQUALS;
        out[length++] = hexDigit(octet >> 4);
        out[length++] = hexDigit(octet & 15);
      }
      this.#column += width;
    }
    return out.subarray(0, length);
  }
}

/** Whether a line needs no change. */
function isPlain(line: Uint8Array): boolean {
  if (line.length > LONGEST_LINE || !isAscii(line) || line.includes(EQUALS)) return false;
  const last = line[line.length - 1];
  return last !== SPACE && last !== TAB && !line.some(isControl);
}

function needsEscape(octet: number, isLast: boolean): boolean {
  if (octet === SPACE || octet === TAB) return isLast; // rule 3
  return octet < 33 || octet > 126 || octet === EQUALS;
}

function isControl(octet: number): boolean {
  return octet < 32 && octet !== TAB || octet === 127;
}

function hexDigit(value: number): number {
  return value < 10 ? 48 + value : 55 + value;
}
