import { decodeText } from "../../base/bytes.ts";
import { parseEnhancedCode } from "../../mail/enhanced_code.ts";
import type { Reply } from "../../mail/reply.ts";

const LF = 0x0a;
const CR = 0x0d;
const TAB = 0x09;
const SPACE = 0x20;
const DASH = 0x2d;
/** Of a code and its separator. */
const PREFIX_BYTES = 4;
/** A line without an end is cut when it has so many times the octets that are kept. */
const LONGEST_LINES = 4;
const NOTHING = new Uint8Array(0);

/** Why what a server sent cannot be read as a reply. */
export type ReplyProblem =
  /** A reply does not begin with three digits of a known class. */
  | "malformed"
  /** The lines of one reply carry codes that do not go together (RFC 5321 4.2.1). */
  | "code_mismatch"
  /** One reply is larger than the limit for a whole reply. */
  | "too_long";

/** What `ReplyDecoder.next` found. */
export type DecodedReply =
  | { readonly kind: "reply"; readonly reply: Reply }
  /** More octets are needed. */
  | { readonly kind: "incomplete" }
  /** The stream is out of step; nothing after this can be trusted. */
  | { readonly kind: "error"; readonly problem: ReplyProblem; readonly line: string };

const INCOMPLETE: DecodedReply = { kind: "incomplete" };

/**
 * Reads the replies of a server from its octets, however they were split on the way
 * (RFC 5321 4.2). What is odd and yet clear is read, since real servers send it: lines that end in
 * a bare LF, a code without text or without a separator, white space before it, empty lines, codes
 * of one class in one reply, or of refusals, of which the last counts, and wrapped text without a
 * code. Text beyond
 * the limits is cut off and control characters become U+FFFD, so every line can be logged.
 */
export class ReplyDecoder {
  readonly #maxLineBytes: number;
  readonly #maxKeptBytes: number;
  readonly #maxReplyBytes: number;
  #bytes: Uint8Array = NOTHING;
  #scanned = 0;
  #code = 0;
  #lines: string[] = [];
  /** Octets of the reply so far, and those of which the text is kept. */
  #replyBytes = 0;
  #keptBytes = 0;
  /** Octets of the unfinished line that were cut off. */
  #cutBytes = 0;
  #error: DecodedReply | null = null;

  /**
   * RFC 5321 4.5.3.1.5 allows 512 octets a line; the defaults are generous. A reply is read up to
   * 16 times the octets of which the text is kept.
   */
  constructor({ maxLineBytes = 2048, maxReplyBytes = 65_536 } = {}) {
    this.#maxLineBytes = maxLineBytes;
    this.#maxKeptBytes = maxReplyBytes;
    this.#maxReplyBytes = 16 * maxReplyBytes;
  }

  /** Whether octets or lines wait that are not yet part of a returned reply. */
  get pending(): boolean {
    return this.#bytes.length > 0 || this.#lines.length > 0;
  }

  /** Takes octets as they arrived; the chunk may be reused after the call. */
  push(chunk: Uint8Array): void {
    const kept = this.#bytes.length;
    const joined = new Uint8Array(kept + chunk.length);
    joined.set(this.#bytes);
    joined.set(chunk, kept);
    this.#bytes = joined;
  }

  /** Returns the next reply that is complete. Call again until it is `incomplete`. */
  next(): DecodedReply {
    if (this.#error !== null) return this.#error;
    let end = this.#bytes.indexOf(LF, this.#scanned);
    while (end >= 0) {
      const result = this.#takeLine(end);
      if (result !== null) return result;
      end = this.#bytes.indexOf(LF, this.#scanned);
    }
    this.#cutLongLine();
    this.#scanned = this.#bytes.length;
    if (this.#replyBytes + this.#bytes.length + this.#cutBytes > this.#maxReplyBytes) {
      return this.#fail("too_long", this.#bytes);
    }
    return INCOMPLETE;
  }

  /**
   * No more octets come: what was read of a reply whose code is known is the reply, since all of its
   * lines have that code. Null where nothing is known of one.
   */
  end(): Reply | null {
    const ended = this.#bytes.length === 0 ? null : this.#takeLine(this.#bytes.length);
    if (ended?.kind === "reply") return ended.reply;
    if (ended !== null || this.#code === 0) return null;
    const reply = makeReply(this.#code, this.#lines);
    this.#clearReply();
    return reply;
  }

  /** Forgets everything buffered, as STARTTLS demands (RFC 3207 section 4.2). */
  reset(): void {
    this.#bytes = NOTHING;
    this.#scanned = 0;
    this.#error = null;
    this.#clearReply();
  }

  /** What is kept of a line without an end needs no more room than its text. */
  #cutLongLine(): void {
    const excessBytes = this.#bytes.length - LONGEST_LINES * this.#maxLineBytes;
    if (excessBytes <= 0) return;
    this.#bytes = this.#bytes.slice(0, this.#maxLineBytes + PREFIX_BYTES);
    this.#cutBytes += excessBytes + (LONGEST_LINES - 1) * this.#maxLineBytes - PREFIX_BYTES;
  }

  #takeLine(end: number): DecodedReply | null {
    let textEnd = end;
    while (textEnd > 0 && this.#bytes[textEnd - 1] === CR) textEnd--;
    let start = 0;
    while (start < textEnd && isSpace(this.#bytes[start])) start++;
    const line = this.#bytes.subarray(start, textEnd);
    this.#bytes = end + 1 === this.#bytes.length ? NOTHING : this.#bytes.subarray(end + 1);
    this.#scanned = 0;
    this.#replyBytes += end + 1 + this.#cutBytes;
    this.#cutBytes = 0;
    if (this.#replyBytes > this.#maxReplyBytes) return this.#fail("too_long", line);
    if (line.length === 0) return null;
    const code = codeOf(line);
    if (code === 0) {
      if (this.#code === 0) return this.#fail("malformed", line);
      this.#keep(line);
      return null;
    }
    if (this.#code !== 0 && !isSameClass(code, this.#code)) {
      return this.#fail("code_mismatch", line);
    }
    this.#code = code;
    const separator = line[3];
    this.#keep(line.subarray(isSeparator(separator) ? 4 : 3));
    return separator === DASH ? null : this.#finish(); // RFC 5321 4.2.1
  }

  #keep(text: Uint8Array): void {
    this.#keptBytes += text.length + PREFIX_BYTES;
    if (this.#keptBytes <= this.#maxKeptBytes || this.#lines.length === 0) {
      this.#lines.push(this.#textOf(text));
    }
  }

  #finish(): DecodedReply {
    const reply = makeReply(this.#code, this.#lines);
    this.#clearReply();
    return { kind: "reply", reply };
  }

  #fail(problem: ReplyProblem, line: Uint8Array): DecodedReply {
    this.#error = { kind: "error", problem, line: this.#textOf(line) };
    return this.#error;
  }

  #clearReply(): void {
    this.#code = 0;
    this.#lines = [];
    this.#replyBytes = 0;
    this.#keptBytes = 0;
    this.#cutBytes = 0;
  }

  #textOf(bytes: Uint8Array): string {
    const kept = bytes.length > this.#maxLineBytes ? bytes.subarray(0, this.#maxLineBytes) : bytes;
    return decodeText(kept).replace(/\p{Cc}/gu, "\ufffd");
  }
}

/** The code a reply line begins with; 0 where it has none. */
function codeOf(line: Uint8Array): number {
  const [first = 0, second = 0, third = 0, next = SPACE] = line;
  if (first < 0x32 || first > 0x35) return 0; // classes 2 to 5, RFC 5321 4.2.1
  if (!isDigit(second) || !isDigit(third)) return 0;
  // A longer number, an enhanced code or a date is no code that lacks its separator.
  if (!isSeparator(next) && !isLetter(next)) return 0;
  return (first - 0x30) * 100 + (second - 0x30) * 10 + (third - 0x30);
}

/** Whether two codes say the same of a command; of refusals the last says for how long. */
function isSameClass(code: number, other: number): boolean {
  return Math.floor(code / 100) === Math.floor(other / 100) || (code >= 400 && other >= 400);
}

function isSeparator(octet: number | undefined): boolean {
  return octet === DASH || isSpace(octet);
}

function isSpace(octet: number | undefined): boolean {
  return octet === SPACE || octet === TAB;
}

function isLetter(octet: number): boolean {
  const lower = octet | 0x20;
  return lower >= 0x61 && lower <= 0x7a;
}

function isDigit(octet: number): boolean {
  return octet >= 0x30 && octet <= 0x39;
}

/** Moves the enhanced code from the text, where every line repeats it (RFC 2034 section 4). */
function makeReply(code: number, lines: readonly string[]): Reply {
  const word = (lines[0] ?? "").split(" ", 1)[0] ?? "";
  const enhanced = parseEnhancedCode(word);
  if (enhanced === null || word.charAt(0) !== String(code).charAt(0)) return { code, lines };
  return { code, enhanced, lines: lines.map((line) => withoutPrefix(line, word)) };
}

function withoutPrefix(line: string, word: string): string {
  if (line === word) return "";
  return line.startsWith(`${word} `) ? line.slice(word.length + 1) : line;
}
