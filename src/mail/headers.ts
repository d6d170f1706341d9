import { decodeLatin1, decodeText } from "../base/bytes.ts";

const TAB = 9;
const LF = 10;
const CR = 13;
const SPACE = 32;
const COLON = 58;

/** No line of a message is longer than this (RFC 5322 2.1.1), so no field name is. */
const LONGEST_NAME_BYTES = 998;

/** What `headerSection` reads when it is not told: more header than any real mail has. */
export const HEADER_SECTION_LIMIT_BYTES = 256 * 1024;

/** One field of a header section, as offsets into the octets of the message. */
export interface HeaderField {
  /** The name as written, without the colon. */
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

/**
 * Steps through the fields of a header section without making an object for each. After
 * `advance` returned true the offsets describe one field; after false, `start` is the end of the
 * last field. Lines may end in CRLF or, in mail that did not come by SMTP, in LF alone.
 */
export class FieldWalk {
  readonly #bytes: Uint8Array;
  #next = 0;
  start = 0;
  nameEnd = 0;
  valueStart = 0;
  valueEnd = 0;

  /** `bytes` is the message, or as much of it as there is or should be looked at. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Moves to the next field; false at the end of the section or of the octets. */
  advance(): boolean {
    const bytes = this.#bytes;
    this.start = this.#next;
    if (!this.#readName()) return false;
    let lineEnd: number;
    do {
      lineEnd = bytes.indexOf(LF, this.#next);
      this.#next = lineEnd === -1 ? bytes.length : lineEnd + 1;
    } while (isWhiteSpace(bytes[this.#next])); // a folded line, RFC 5322 2.2.3
    const end = lineEnd === -1 ? bytes.length : lineEnd;
    this.valueEnd = end > this.valueStart && bytes[end - 1] === CR ? end - 1 : end;
    return true;
  }

  /** Whether the field's name is `lowerName`, which is in lower case. */
  nameIs(lowerName: string): boolean {
    if (this.nameEnd - this.start !== lowerName.length) return false;
    for (let index = 0; index < lowerName.length; index++) {
      const octet = this.#bytes[this.start + index] ?? 0;
      const lower = octet >= 65 && octet <= 90 ? octet | 0x20 : octet;
      if (lower !== lowerName.charCodeAt(index)) return false;
    }
    return true;
  }

  /** RFC 5322 3.6.8, with the white space before the colon that 4.5 still allows. */
  #readName(): boolean {
    const bytes = this.#bytes;
    const limit = Math.min(bytes.length, this.start + LONGEST_NAME_BYTES);
    let at = this.start;
    while (at < limit && isNameOctet(bytes[at] as number)) at++;
    this.nameEnd = at;
    if (at === this.start) return false;
    while (isWhiteSpace(bytes[at])) at++;
    if (bytes[at] !== COLON) return false;
    this.valueStart = at + 1;
    this.#next = at + 1;
    return true;
  }
}

/**
 * Finds the fields of a message's header section. The section ends at the empty line or, where
 * mail is malformed, at the first line that cannot be a field.
 *
 * @param bytes the message, or its beginning: when `complete` is false, more may follow.
 */
export function headerSection(
  bytes: Uint8Array,
  { limitBytes = HEADER_SECTION_LIMIT_BYTES }: { limitBytes?: number } = {},
): HeaderSection {
  const looked = bytes.length > limitBytes ? bytes.subarray(0, limitBytes) : bytes;
  const walk = new FieldWalk(looked);
  const fields: HeaderField[] = [];
  while (walk.advance()) {
    const { start, nameEnd, valueStart, valueEnd } = walk;
    fields.push({ name: nameText(looked, start, nameEnd), start, valueStart, valueEnd });
  }
  const endOffset = walk.start;
  const separator = separatorLength(looked, endOffset);
  return {
    fields,
    endOffset,
    bodyOffset: endOffset + separator,
    complete: separator > 0 || looked.indexOf(LF, endOffset) !== -1,
  };
}

/** The first field of that name, compared without regard to case. */
export function findField(section: HeaderSection, name: string): HeaderField | null {
  const lowerName = name.toLowerCase();
  return section.fields.find((field) => field.name.toLowerCase() === lowerName) ?? null;
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

/** The length of the empty line at `offset`; 0 when there is none. */
function separatorLength(bytes: Uint8Array, offset: number): number {
  if (bytes[offset] === LF) return 1;
  return bytes[offset] === CR && bytes[offset + 1] === LF ? 2 : 0;
}
