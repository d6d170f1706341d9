import { decodeLatin1, decodeText } from "../base/bytes.ts";

const TAB = 9;
const LF = 10;
const CR = 13;
const SPACE = 32;
const COLON = 58;
const GREATER = 62;
const NOTHING = new Uint8Array(0);

/** No line of a message is longer than this (RFC 5322 2.1.1), so no field name is. */
const LONGEST_NAME_BYTES = 998;

/** What `headerSection` reads when it is not told: more header than any real mail has. */
export const HEADER_SECTION_LIMIT_BYTES = 256 * 1024;

/** One field of a header section, as offsets into the octets of the message. */
export interface HeaderField {
  /** The name as written, without the colon and without white space before it. */
  readonly name: string;
  /** Where the name begins. */
  readonly start: number;
  /** The octet after the colon. */
  readonly valueStart: number;
  /** The end of the value, folded lines included, without the last CRLF. */
  readonly valueEnd: number;
}

/** The header section of a message (RFC 5322 2.2). */
export interface HeaderSection {
  /** In the order of the message. */
  readonly fields: readonly HeaderField[];
  /** The end of the last field, its CRLF included. */
  readonly endOffset: number;
  /** Where the body begins: after the empty line, or at the first line that is no field. */
  readonly bodyOffset: number;
  /** False when the octets given, or the limit, ended before the section did. */
  readonly complete: boolean;
}

/** A header section with its octets, which begin at offset 0 and end at `bodyOffset`. */
export interface MessageHeader extends HeaderSection {
  readonly bytes: Uint8Array;
}

/** What is known of a message once its header section is read. */
export interface HeaderReading {
  readonly header: MessageHeader;
  /** Whether who hands it in may speak for the authors that it names, so that it may be signed. */
  readonly mayAuthor: boolean;
}

/**
 * Finds the fields of a message's header section. The section ends at the empty line or, where
 * mail is malformed, at the first line that cannot be a field. Lines may end in CRLF or, in mail
 * that did not come by SMTP, in LF alone.
 *
 * @param bytes the message, or its beginning: when `complete` is false, more may follow.
 */
export function headerSection(
  bytes: Uint8Array,
  { limitBytes = HEADER_SECTION_LIMIT_BYTES }: { limitBytes?: number } = {},
): HeaderSection {
  const looked = bytes.length > limitBytes ? bytes.subarray(0, limitBytes) : bytes;
  const scan = new FieldScan();
  scan.lines(looked);
  scan.rest(looked);
  return scan.section;
}

/** The header section of a message that is all there, or all of it that matters. */
export function readHeader(bytes: Uint8Array): MessageHeader {
  const section = headerSection(bytes);
  const complete = section.complete || bytes.length < HEADER_SECTION_LIMIT_BYTES;
  return { ...section, complete, bytes: bytes.subarray(0, section.bodyOffset) };
}

/**
 * Reads the header section of a message whose octets come in pieces, split anywhere. It keeps no
 * more than the section, and that only up to a limit.
 */
export class HeaderReader {
  readonly #limitBytes: number;
  readonly #scan = new FieldScan();
  /** What came so far, while the section goes on. */
  #held: Uint8Array = NOTHING;
  #heldBytes = 0;
  #header: MessageHeader | null = null;

  constructor({ limitBytes = HEADER_SECTION_LIMIT_BYTES }: { limitBytes?: number } = {}) {
    this.#limitBytes = limitBytes;
  }

  /** Null until it is known. Its octets are a copy. Beyond the limit it is not complete. */
  get header(): MessageHeader | null {
    return this.#header;
  }

  /** Takes the next octets; what it returns are those behind the header section. */
  take(chunk: Uint8Array): Uint8Array {
    if (this.#header !== null) return chunk;
    const octets = this.#heldBytes === 0 ? chunk : this.#hold(chunk);
    const isOver = octets.length >= this.#limitBytes;
    this.#scan.lines(isOver ? octets.subarray(0, this.#limitBytes) : octets);
    if (isOver || this.#scan.section.complete) return this.#finish(octets);
    if (this.#heldBytes === 0) this.#hold(chunk);
    return NOTHING;
  }

  /** The message is over; what it returns are the octets behind the header section. */
  end(): Uint8Array {
    if (this.#header !== null) return NOTHING;
    const octets = this.#held.subarray(0, this.#heldBytes);
    this.#scan.rest(octets);
    return this.#finish(octets, { isWhole: true });
  }

  #finish(octets: Uint8Array, { isWhole = false } = {}): Uint8Array {
    const { section } = this.#scan;
    this.#header = {
      ...section,
      complete: section.complete || isWhole,
      bytes: octets.slice(0, section.bodyOffset),
    };
    this.#held = NOTHING;
    return octets.subarray(section.bodyOffset);
  }

  /** Keeps a copy; returns all that is kept. */
  #hold(chunk: Uint8Array): Uint8Array {
    const neededBytes = this.#heldBytes + chunk.length;
    if (neededBytes > this.#held.length) {
      const grown = new Uint8Array(Math.max(neededBytes, this.#held.length * 2));
      grown.set(this.#held.subarray(0, this.#heldBytes));
      this.#held = grown;
    }
    this.#held.set(chunk, this.#heldBytes);
    this.#heldBytes = neededBytes;
    return this.#held.subarray(0, neededBytes);
  }
}

/** Finds fields line by line; the octets that it is given grow from call to call. */
class FieldScan {
  readonly #fields: Writable<HeaderField>[] = [];
  #lineStart = 0;
  /** From where the end of the line is looked for. */
  #lookFrom = 0;
  #separatorBytes = 0;
  #hasMailboxLine = false;
  #isOver = false;

  get section(): HeaderSection {
    return {
      fields: this.#fields,
      endOffset: this.#lineStart,
      bodyOffset: this.#lineStart + this.#separatorBytes,
      complete: this.#isOver,
    };
  }

  /** Looks at the whole lines. */
  lines(octets: Uint8Array): void {
    while (!this.#isOver) {
      const lf = octets.indexOf(LF, this.#lookFrom);
      if (lf < 0) {
        this.#lookFrom = octets.length;
        return;
      }
      if (!this.#line(octets, lf)) {
        this.#isOver = true;
        const textBytes = lf - this.#lineStart;
        const isEmpty = textBytes === 0 || (textBytes === 1 && octets[this.#lineStart] === CR);
        this.#separatorBytes = isEmpty ? textBytes + 1 : 0;
        return;
      }
      this.#lineStart = lf + 1;
      this.#lookFrom = lf + 1;
    }
  }

  /** Looks at the last line, which has no end. */
  rest(octets: Uint8Array): void {
    if (this.#isOver) return;
    if (this.#line(octets, octets.length)) this.#lineStart = octets.length;
  }

  /** False where the line is no field, and does not go on with one. */
  #line(octets: Uint8Array, lf: number): boolean {
    const start = this.#lineStart === 0 ? byteOrderMark(octets) : this.#lineStart;
    const end = lf > start && octets[lf - 1] === CR && lf < octets.length ? lf - 1 : lf;
    if (isWhiteSpace(octets[start])) { // a folded line, RFC 5322 2.2.3
      const field = this.#fields.at(-1);
      if (field === undefined) return false;
      field.valueEnd = end;
      return true;
    }
    const field = fieldAt(octets, { start, end });
    if (field !== null) this.#fields.push(field);
    return field !== null || this.#passesMailboxLine(octets.subarray(start, end));
  }

  /** Once, and where no more than what servers put in front of a message precedes it. */
  #passesMailboxLine(line: Uint8Array): boolean {
    if (this.#hasMailboxLine || !isMailboxLine(line)) return false;
    this.#hasMailboxLine = true;
    return !this.#fields.some(({ name }) => AUTHORED.test(name));
  }
}

/**
 * How long the mark is that some editors put before UTF-8, and some scripts before the first field;
 * 0 where there is none. It is no part of a name.
 */
export function byteOrderMark(octets: Uint8Array): number {
  return octets[0] === 0xef && octets[1] === 0xbb && octets[2] === 0xbf ? 3 : 0;
}

/** Fields that who wrote a message gave it. */
const AUTHORED = /^(?:from|to|date|subject|mime-version)$/i;
const FROM = [70, 114, 111, 109, 32]; // `From `

/**
 * Whether a line is what mailbox files put before a message, `From ada@example.net Mon Nov 30 …`
 * (RFC 4155) or `>From …`, and some programs send along with it. It is no field, and does not end
 * the header section.
 */
export function isMailboxLine(line: Uint8Array): boolean {
  let at = 0;
  while (line[at] === GREATER) at++;
  return FROM.every((octet, index) => line[at + index] === octet);
}

type Writable<Value> = { -readonly [Key in keyof Value]: Value[Key] };

/** RFC 5322 3.6.8, with the white space before the colon that 4.5 still allows. */
function fieldAt(
  octets: Uint8Array,
  { start, end }: { start: number; end: number },
): Writable<HeaderField> | null {
  const limit = Math.min(end, start + LONGEST_NAME_BYTES);
  let at = start;
  while (at < limit && isNameOctet(octets[at] as number)) at++;
  if (at === start) return null;
  const name = nameText(octets, start, at);
  while (at < end && isWhiteSpace(octets[at])) at++;
  return octets[at] === COLON && at < end
    ? { name, start, valueStart: at + 1, valueEnd: end }
    : null;
}

/** The first field of that name, compared without regard to case. */
export function findField(section: HeaderSection, name: string): HeaderField | null {
  const lowerName = name.toLowerCase();
  return section.fields.find((field) =>
    field.name.length === lowerName.length && field.name.toLowerCase() === lowerName
  ) ?? null;
}

/** How many fields have that name, which is in lower case. */
export function countFields({ fields }: HeaderSection, lowerName: string): number {
  let count = 0;
  for (const { name } of fields) {
    if (name.length === lowerName.length && name.toLowerCase() === lowerName) count++;
  }
  return count;
}

/**
 * The value of a field as text: unfolded, white space around it removed. Octets above 127 are
 * read as UTF-8 (RFC 6532), or one by one where they are not that.
 */
export function fieldText(
  bytes: Uint8Array,
  { valueStart, valueEnd }: { readonly valueStart: number; readonly valueEnd: number },
): string {
  const value = bytes.subarray(valueStart, valueEnd);
  const text = decodeText(value);
  return unfold(text.includes("\ufffd") ? decodeLatin1(value) : text).trim();
}

/** Removes the line breaks of folding (RFC 5322 2.2.3); the white space after them stays. */
export function unfold(value: string): string {
  return value.includes("\n") ? value.replace(/\r?\n(?=[ \t])/g, "") : value;
}

function isWhiteSpace(octet: number | undefined): boolean {
  return octet === SPACE || octet === TAB;
}

function isNameOctet(octet: number): boolean {
  return octet > SPACE && octet < 127 && octet !== COLON;
}

function nameText(bytes: Uint8Array, start: number, end: number): string {
  return String.fromCharCode(...bytes.subarray(start, end));
}
