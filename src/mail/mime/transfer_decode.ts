import { Buffer } from "node:buffer";
import { concatBytes } from "../../base/bytes.ts";

/** Undoes a Content-Transfer-Encoding (RFC 2045 section 6) while octets pass. */
export interface TransferDecoder {
  /** What is known after these octets; they may change afterwards. */
  decode(chunk: Uint8Array): Uint8Array<ArrayBuffer>;
  /** What is left at the end. */
  end(): Uint8Array<ArrayBuffer>;
  /** Where the octets end that the encoding covers; null as long as it covers all. */
  readonly contentEnd: number | null;
}

const EQUALS = 61;
const LF = 10;
const CR = 13;
const NOTHING = new Uint8Array(0);

/** A decoder for an encoding in lower case; null for one that leaves octets as they are. */
export function transferDecoder(encoding: string): TransferDecoder | null {
  switch (encoding) {
    case "base64":
    case "base-64":
    case "b64":
      return new Base64Decoder();
    case "quoted-printable":
    case "quotedprintable":
    case "quoted printable":
    case "qp":
      return new QuotedPrintableDecoder();
    case "x-uuencode":
    case "uuencode":
    case "x-uue":
    case "uue":
      return new UuDecoder();
    default:
      return null;
  }
}

/** The content of a body that is in memory; what is malformed is passed over. */
export function transferDecode<Octets extends Uint8Array>(
  body: Octets,
  encoding: string,
): Octets | Uint8Array<ArrayBuffer> {
  const decoder = transferDecoder(encoding);
  if (decoder === null) return body;
  const decoded = decoder.decode(body);
  const rest = decoder.end();
  return rest.length === 0 ? decoded : concatBytes([decoded, rest]);
}

/** How much of a line tells whether it is base64. */
const LOOKED_CHARS = 1_000;
/** A line of nothing but one sign, or one that begins like a boundary. */
const RULE = /^\s*(?:([-_*~#])\1+\s*$|--)/;
const STRANGE = /[^A-Za-z\d+/=\s]/;
const WORDS = /\S[ \t]+\S/;
/** Behind padding. */
const BASE64 = /^\s*[A-Za-z\d+/=]*\s*$/;

/**
 * RFC 2045 section 6.8: what is not in the alphabet is passed over. Behind padding it goes on as
 * long as lines are nothing but base64, since some programs join what was encoded piece by piece.
 * The first line that is something else, such as a footer that was added on the way, ends it.
 */
class Base64Decoder implements TransferDecoder {
  /** Characters that wait for others: of a group of four. */
  #rest = "";
  /** The beginning of a line, or of what stands behind padding in one. */
  #line = "";
  /** Whether what comes next belongs to a line of which enough was looked at. */
  #isWithinLine = false;
  #isPadded = false;
  #passedBytes = 0;
  #contentEnd: number | null = null;

  get contentEnd(): number | null {
    return this.#contentEnd;
  }

  decode(chunk: Uint8Array): Uint8Array<ArrayBuffer> {
    if (this.#contentEnd !== null) return NOTHING;
    const text = this.#line + latin1(chunk);
    const padding = this.#isPadded ? -1 : text.indexOf("=");
    if (padding < 0) return this.#take(text, { isEnd: false });
    const head = this.#take(text.slice(0, padding), { isEnd: true });
    this.#isPadded = true;
    this.#isWithinLine = false;
    return concatBytes([head, this.#take(text.slice(padding), { isEnd: false })]);
  }

  end(): Uint8Array<ArrayBuffer> {
    const last = this.#take(this.#line, { isEnd: true });
    const decoded = concatBytes([last, Buffer.from(this.#rest, "base64")]);
    this.#rest = "";
    return decoded;
  }

  /** Decodes all but a line at the end of which too little is there. */
  #take(text: string, { isEnd }: { isEnd: boolean }): Uint8Array<ArrayBuffer> {
    const lineAt = text.lastIndexOf("\n") + 1;
    const isWithin = lineAt === 0 && this.#isWithinLine;
    const isKnown = isEnd || isWithin || text.length - lineAt >= LOOKED_CHARS;
    this.#line = isKnown ? "" : text.slice(lineAt);
    const known = isKnown ? text : text.slice(0, lineAt);
    const decoded = this.#decodeKnown(known);
    this.#isWithinLine = isKnown && (isWithin || text.length > lineAt);
    return decoded;
  }

  #decodeKnown(text: string): Uint8Array<ArrayBuffer> {
    if (this.#contentEnd !== null) return NOTHING;
    const fast = this.#isPadded ? null : this.#decodeFast(text);
    const content = fast === null ? this.#contentOf(text) : text;
    if (content.length < text.length) this.#contentEnd = this.#passedBytes + content.length;
    this.#passedBytes += content.length;
    return fast ?? this.#decodeGroups(content);
  }

  /** All up to the first line that is something else. */
  #contentOf(text: string): string {
    let at = this.#isWithinLine ? text.indexOf("\n") + 1 || text.length : 0;
    while (at < text.length) {
      const end = text.indexOf("\n", at) + 1 || text.length;
      const line = text.slice(at, Math.min(end, at + LOOKED_CHARS));
      const isOther = this.#isPadded ? !BASE64.test(line) : isNoBase64(line);
      if (isOther) return text.slice(0, at + (/^=*/.exec(line)?.[0].length ?? 0));
      at = end;
    }
    return text;
  }

  /** The runtime's decoder, which passes over white space and refuses all else. */
  #decodeFast(text: string): Uint8Array<ArrayBuffer> | null {
    const all = this.#rest + text;
    try {
      const decoded = new Uint8Array(Math.ceil(all.length / 4) * 3);
      const { read, written } = decoded.setFromBase64(all, {
        lastChunkHandling: "stop-before-partial",
      });
      this.#rest = all.slice(read).replace(/\s+/g, "");
      return decoded.subarray(0, written);
    } catch {
      return null; // SyntaxError: a character that is none of the alphabet's
    }
  }

  /** Decodes groups of four, and shorter ones that are padded; keeps what is neither. */
  #decodeGroups(text: string): Uint8Array<ArrayBuffer> {
    const all = this.#rest + text;
    const decoded = new Uint8Array(Math.ceil(all.length * 3 / 4) + 3);
    let length = 0;
    let bits = 0;
    let count = 0;
    for (let at = 0; at < all.length; at++) {
      const code = all.charCodeAt(at);
      const value = code < 128 ? SEXTETS[code] ?? -1 : -1;
      if (value >= 0) {
        bits = bits << 6 | value;
        count++;
      }
      if (count < 4 && code !== EQUALS) continue;
      // A group of two characters is one octet, of three two octets.
      const group = bits << (4 - count) * 6;
      for (let octet = 1; octet < count; octet++) {
        decoded[length++] = group >> (24 - octet * 8) & 255;
      }
      bits = 0;
      count = 0;
    }
    this.#rest = "";
    for (let left = count; left > 0; left--) this.#rest += ALPHABET[bits >> (left - 1) * 6 & 63];
    return decoded.subarray(0, length);
  }
}

/** Whether a line is words or a rule, as they stand below the content. */
function isNoBase64(line: string): boolean {
  return STRANGE.test(line) && (WORDS.test(line) || RULE.test(line));
}

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const SEXTETS = Int8Array.from(
  { length: 128 },
  (_, code) => ALPHABET.indexOf(String.fromCharCode(code)),
);

/** RFC 2045 section 6.7. An `=` that begins nothing stands for itself. */
class QuotedPrintableDecoder implements TransferDecoder {
  readonly contentEnd = null;
  /** The last line as far as it has come. */
  #rest: Uint8Array = NOTHING;

  decode(chunk: Uint8Array): Uint8Array<ArrayBuffer> {
    const octets = this.#rest.length === 0 ? chunk : concatBytes([this.#rest, chunk]);
    const end = octets.lastIndexOf(LF) + 1;
    // A line that does not end is not waited for: only its last octets may depend on what follows.
    const known = octets.length - end > LONGEST_LINE ? beforeOpen(octets, end) : end;
    this.#rest = new Uint8Array(octets.subarray(known));
    return fromQuotedPrintable(octets.subarray(0, known), { isEnd: false });
  }

  end(): Uint8Array<ArrayBuffer> {
    const rest = this.#rest;
    this.#rest = NOTHING;
    return fromQuotedPrintable(rest, { isEnd: true });
  }
}

const LONGEST_LINE = 4096;

/** Where the last octets begin whose meaning depends on what follows: `=`, blanks, a line break. */
function beforeOpen(octets: Uint8Array, lineStart: number): number {
  const least = Math.max(lineStart, octets.length - LONGEST_LINE);
  let at = octets.length;
  while (at > least && isBlank(octets[at - 1])) at--;
  for (let back = 1; back <= 2; back++) {
    if (octets[at - back] === EQUALS) return at - back;
  }
  return at;
}

/** One pass over the octets: calls for each `=` cost more than they save where there are many. */
function fromQuotedPrintable(
  body: Uint8Array,
  { isEnd }: { isEnd: boolean },
): Uint8Array<ArrayBuffer> {
  const decoded = new Uint8Array(body.length);
  let length = 0;
  /** What comes behind in the line so far is blanks, which were added on the way (rule 3). */
  let kept = 0;
  for (let at = 0; at < body.length;) {
    const octet = body[at] as number;
    if (octet === EQUALS) {
      const value = at + 2 < body.length ? hexPair(body[at + 1], body[at + 2]) : -1;
      const next = value < 0 ? softBreakEnd(body, { at, isEnd }) : at + 3;
      if (next === null || value >= 0) decoded[length++] = value >= 0 ? value : EQUALS;
      at = next ?? at + 1;
      kept = length;
      continue;
    }
    if (octet === LF) {
      length = kept;
      if (at > 0 && body[at - 1] === CR) decoded[length++] = CR;
    }
    decoded[length++] = octet;
    if (octet > 32 || !isBlank(octet)) kept = length;
    at++;
  }
  return decoded.subarray(0, isEnd ? kept : length);
}

/** Where the next line begins after an `=` that only blanks follow; null where others do. */
function softBreakEnd(
  body: Uint8Array,
  { at, isEnd }: { at: number; isEnd: boolean },
): number | null {
  let next = at + 1;
  while (next < body.length && isBlank(body[next])) next++;
  if (next === body.length) return isEnd ? next : null;
  return body[next] === LF ? next + 1 : null;
}

function isBlank(octet: number | undefined): boolean {
  return octet === 32 || octet === 9 || octet === CR;
}

/** The value of two hexadecimal digits; negative for all else. */
function hexPair(high: number | undefined, low: number | undefined): number {
  return (DIGITS[high ?? 0] as number) << 4 | (DIGITS[low ?? 0] as number);
}

const DIGITS = Int8Array.from(
  { length: 256 },
  (_, octet) =>
    octet > 47 ? "0123456789abcdef".indexOf(String.fromCharCode(octet).toLowerCase()) : -1,
);

/** What Unix programs wrote before MIME, between a line `begin 644 name` and a line `end`. */
class UuDecoder implements TransferDecoder {
  #rest = "";
  #isOpen = false;
  #passedBytes = 0;
  /** Behind the last line `end`; 0 as long as nothing began. */
  #endedAt = 0;
  #hasMore = false;

  get contentEnd(): number | null {
    return this.#hasMore ? this.#endedAt : null;
  }

  decode(chunk: Uint8Array): Uint8Array<ArrayBuffer> {
    const lines = (this.#rest + latin1(chunk)).split("\n");
    this.#rest = lines.pop() ?? "";
    return this.#decodeLines(lines);
  }

  end(): Uint8Array<ArrayBuffer> {
    const last = this.#decodeLines([this.#rest]);
    this.#rest = "";
    return last;
  }

  #decodeLines(lines: readonly string[]): Uint8Array<ArrayBuffer> {
    const pieces: Uint8Array[] = [];
    for (const line of lines) {
      this.#passedBytes += line.length + 1;
      if (/^begin \d{3,4} /.test(line)) {
        this.#isOpen = true;
        this.#hasMore = false;
      } else if (/^end\s*$/.test(line)) {
        this.#isOpen = false;
        this.#endedAt = this.#passedBytes;
      } else if (this.#isOpen) pieces.push(fromUuLine(line.trimEnd()));
      else if (line.trim() !== "") this.#hasMore = true;
    }
    return concatBytes(pieces);
  }
}

function fromUuLine(line: string): Uint8Array<ArrayBuffer> {
  const value = (at: number): number => ((line.charCodeAt(at) || 32) - 32) & 63;
  const decoded = new Uint8Array(
    Math.min(value(0), Math.ceil(line.length * 0.75)),
  );
  for (let index = 0; index < decoded.length; index++) {
    const at = 1 + Math.floor(index / 3) * 4 + index % 3;
    const shift = (index % 3) * 2 + 2;
    decoded[index] = value(at) << shift | value(at + 1) >> (6 - shift);
  }
  return decoded;
}

function latin1({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString("latin1");
}
