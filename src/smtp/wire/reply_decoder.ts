import { decodeText } from "../../base/bytes.ts";
import { parseEnhancedCode } from "../../mail/enhanced_code.ts";
import type { Reply } from "../../mail/reply.ts";

const LF = 0x0a;
const CR = 0x0d;
const NOTHING = new Uint8Array(0);

/** Why what a server sent cannot be read as a reply. */
export type ReplyProblem =
  /** A line does not begin with three digits of a known class. */
  | "malformed"
  /** The lines of one reply carry different codes (RFC 5321 4.2.1). */
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
 * (RFC 5321 4.2). Lines may end in a bare LF, and a line without text may be only a code, since
 * real servers do both. Text beyond the line limit is cut off and control characters become
 * U+FFFD, so every line of a reply can be logged.
 */
export class ReplyDecoder {
  readonly #maxLineBytes: number;
  readonly #maxReplyBytes: number;
  #bytes: Uint8Array = NOTHING;
  #scanned = 0;
  #code = 0;
  #lines: string[] = [];
  #replyBytes = 0;
  #error: DecodedReply | null = null;

  /** RFC 5321 4.5.3.1.5 allows 512 octets a line; the defaults are generous. */
  constructor({ maxLineBytes = 2048, maxReplyBytes = 65_536 } = {}) {
    this.#maxLineBytes = maxLineBytes;
    this.#maxReplyBytes = maxReplyBytes;
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
    this.#scanned = this.#bytes.length;
    if (this.#replyBytes + this.#bytes.length > this.#maxReplyBytes) {
      return this.#fail("too_long", this.#bytes);
    }
    return INCOMPLETE;
  }

  /** Forgets everything buffered, as STARTTLS demands (RFC 3207 section 4.2). */
  reset(): void {
    this.#bytes = NOTHING;
    this.#scanned = 0;
    this.#error = null;
    this.#clearReply();
  }

  #takeLine(end: number): DecodedReply | null {
    const textEnd = end > 0 && this.#bytes[end - 1] === CR ? end - 1 : end;
    const line = this.#bytes.subarray(0, textEnd);
    this.#bytes = end + 1 === this.#bytes.length ? NOTHING : this.#bytes.subarray(end + 1);
    this.#scanned = 0;
    const code = codeOf(line);
    if (code === 0) return this.#fail("malformed", line);
    if (this.#code !== 0 && code !== this.#code) return this.#fail("code_mismatch", line);
    this.#replyBytes += end + 1;
    if (this.#replyBytes > this.#maxReplyBytes) return this.#fail("too_long", line);
    this.#code = code;
    this.#lines.push(this.#textOf(line.subarray(4)));
    return line[3] === 0x2d /* - */ ? null : this.#finish(); // RFC 5321 4.2.1
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
  }

  #textOf(bytes: Uint8Array): string {
    const kept = bytes.length > this.#maxLineBytes ? bytes.subarray(0, this.#maxLineBytes) : bytes;
    return decodeText(kept).replace(/\p{Cc}/gu, "\ufffd");
  }
}

/** The code a reply line begins with; 0 where it has none. */
function codeOf(line: Uint8Array): number {
  const [first = 0, second = 0, third = 0, separator = 0x20] = line;
  if (first < 0x32 || first > 0x35) return 0; // classes 2 to 5, RFC 5321 4.2.1
  if (!isDigit(second) || !isDigit(third)) return 0;
  if (separator !== 0x20 && separator !== 0x2d) return 0;
  return (first - 0x30) * 100 + (second - 0x30) * 10 + (third - 0x30);
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
