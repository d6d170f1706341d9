import { Buffer } from "node:buffer";
import { decodeEncodedWords } from "../encoded_word.ts";
import { decodeCharset } from "./charset.ts";

/**
 * One parameter as it is written, or one section of it (RFC 2231 section 3). Values are text of
 * one character an octet, without their quotes.
 */
interface Section {
  /** The number of the section; null where the parameter is in one piece. */
  readonly index: number | null;
  /** Whether it is percent-encoded; the first one begins with charset and language then. */
  readonly isExtended: boolean;
  readonly value: string;
}

/** More than any field has that is not made to keep a reader busy. */
const SECTION_LIMIT = 1_000;
/** Parameters whose values are names of files, in which blanks and brackets are. */
const NAMES = /^(?:file)?name$/;
/** What a field begins with; blanks may stand around the slash of a type (RFC 822 3.1.4). */
const FIRST_WORD = /^"?([^\s;"(,]+(?:(?:(?<=\/)[ \t]+|[ \t]+\/[ \t]*)[^\s;"(,=]+(?![^\s;"(,]))?)"?/;
/** Values without quotes. */
const ALL = /^[^]*/;
const WORD = /^[^\s(]*/;
const BOUNDARY = /^\S*(?:[ \t]+[^\s("=]+(?=[ \t]|$))*/;

/**
 * A field such as Content-Type or Content-Disposition (RFC 2045 section 5.1): a word and its
 * parameters, in every form that is written: in sections, in any order, percent-encoded in some
 * charset (RFC 2231), with encoded-words (RFC 2047), octets above 127, blanks without quotes,
 * backslashes that are no escapes.
 */
export class ParameterField {
  /** In lower case; empty where the field begins with a parameter. */
  readonly word: string;
  readonly #sections: ReadonlyMap<string, readonly Section[]>;

  /** @param value the unfolded value, one character an octet. */
  constructor(value: string) {
    const scanner = new Scanner(value);
    this.word = scanner.word();
    this.#sections = scanner.sections();
  }

  /** Whether the field has that parameter; the name is in lower case. */
  has(name: string): boolean {
    return this.#sections.has(name);
  }

  /** The text of a parameter, decoded; null where the field has none of that name. */
  text(name: string): string | null {
    const sections = this.#sections.get(name);
    if (sections === undefined) return null;
    const told = textOf(inOrder(sections));
    return told.replace(/[\t\r\n]+/g, " ").trim();
  }

  /** The octets of a parameter, one character each, for what is compared as octets. */
  octets(name: string): string | null {
    const sections = this.#sections.get(name);
    if (sections === undefined) return null;
    return decodeSections(inOrder(sections)).octets;
  }
}

/** The sections that count: the extended whole before numbered ones, these before a plain whole. */
function inOrder(sections: readonly Section[]): readonly Section[] {
  const whole = sections.find(({ index, isExtended }) => index === null && isExtended);
  if (whole !== undefined) return [whole];
  const numbered = new Map<number, Section>();
  for (const section of sections) {
    const { index } = section;
    if (index !== null && !numbered.has(index)) numbered.set(index, section);
  }
  if (numbered.size === 0) return sections.slice(0, 1);
  return [...numbered.values()].sort((one, other) => (one.index ?? 0) - (other.index ?? 0));
}

function textOf(sections: readonly Section[]): string {
  const { octets, charset } = decodeSections(sections);
  const text = decodeCharset(Buffer.from(octets, "latin1"), charset);
  // They have no place here (RFC 2047 section 5), and are here all the same.
  return decodeEncodedWords(text);
}

function decodeSections(
  sections: readonly Section[],
): { octets: string; charset: string | null } {
  let charset: string | null = null;
  let octets = "";
  for (const [place, { isExtended, value }] of sections.entries()) {
    const prefix = place === 0 && isExtended ? /^([^']*)'[^']*'/.exec(value) : null;
    if (prefix !== null) charset = prefix[1] ?? null;
    const own = value.slice(prefix?.[0].length ?? 0);
    octets += isExtended ? percentDecoded(own) : own;
  }
  return { octets, charset };
}

function percentDecoded(text: string): string {
  return text.replace(
    /%([\da-f]{2})/gi,
    (_all, hex: string) => String.fromCharCode(parseInt(hex, 16)),
  );
}

/** Reads a value from left to right, each character once. */
class Scanner {
  readonly #value: string;
  #at = 0;
  /** Set where a quote was never closed because of a backslash: none is an escape from there on. */
  #isLiteral = false;
  /** Where the next semicolon is, as far as it was looked for. */
  #semicolonAt = -1;
  #hasClosing = true;

  constructor(value: string) {
    this.#value = value;
  }

  word(): string {
    this.#skipBlanks();
    const found = FIRST_WORD.exec(this.#value.slice(this.#at, this.#at + 1_000));
    const word = (found?.[1] ?? "").replace(/[ \t]+/g, "");
    if (word.includes("=")) return ""; // the word is missing, this is a parameter
    this.#at += found?.[0].length ?? 0;
    return word.toLowerCase();
  }

  sections(): Map<string, Section[]> {
    const sections = new Map<string, Section[]>();
    for (
      let count = 0;
      count < SECTION_LIMIT && this.#at < this.#value.length;
      count++
    ) {
      this.#skipSeparators();
      const key = this.#key();
      if (key === null) continue;
      const [, name = "", index, star] = /^([^*]*)(?:\*(\d{1,3}))?(\*)?$/.exec(key) ?? [];
      const value = this.#valueOf(name);
      if (name === "") continue;
      const section = {
        index: index === undefined ? null : Number(index),
        isExtended: star !== undefined,
        value,
      };
      const known = sections.get(name);
      if (known === undefined) sections.set(name, [section]);
      else known.push(section);
    }
    return sections;
  }

  /** The name before an equals sign in lower case; null for what is no parameter. */
  #key(): string | null {
    const segment = this.#value.slice(this.#at, this.#semicolon());
    const equals = segment.indexOf("=");
    this.#at += equals < 0 ? segment.length + 1 : equals + 1;
    return equals < 0 ? null : segment.slice(0, equals).trim().toLowerCase();
  }

  #valueOf(name: string): string {
    this.#skipWhite();
    if (this.#value[this.#at] !== '"') return this.#token(name);
    let value = this.#quoted();
    this.#skipWhite();
    // Some write a long value as several quoted strings.
    while (this.#value[this.#at] === '"') {
      value += ` ${this.#quoted()}`;
      this.#skipWhite();
    }
    // What follows without a semicolon may be the next parameter.
    const rest = this.#value.slice(this.#at, this.#semicolon());
    if (!/^[\w*-]+\s*=/.test(rest)) this.#at += rest.length;
    return value;
  }

  /**
   * A value without quotes: up to the semicolon, for names; up to white space, for the rest. Words
   * after the white space belong to a boundary, too, unless they are a comment or a parameter.
   */
  #token(name: string): string {
    const written = this.#value.slice(this.#at, this.#semicolon());
    const grammar = name === "boundary" ? BOUNDARY : NAMES.test(name) ? ALL : WORD;
    const length = grammar.exec(written)?.[0].length ?? 0;
    this.#at += length;
    return written.slice(0, length).trim();
  }

  /**
   * A quoted string. Only quotes and backslashes are escaped: `"C:\temp\a.txt"` is what Windows
   * programs write.
   */
  #quoted(): string {
    const start = this.#at + 1;
    let end = start;
    const { length } = this.#value;
    while (end < length && this.#value[end] !== '"') {
      end += !this.#isLiteral && this.#value[end] === "\\" ? 2 : 1;
    }
    const written = this.#value.slice(start, end);
    if (end < length || this.#isLiteral) {
      this.#at = end + 1;
      return this.#isLiteral ? written : written.replace(/\\(["\\])/g, "$1");
    }
    if (!written.includes('"')) {
      this.#at = length; // it is not closed
      return written;
    }
    this.#isLiteral = true;
    return this.#quoted();
  }

  #skipSeparators(): void {
    for (;;) {
      this.#skipBlanks();
      const char = this.#value[this.#at];
      if (char !== ";" && char !== ",") return;
      this.#at++;
    }
  }

  /** White space and comments (RFC 5322 3.2.2). */
  #skipBlanks(): void {
    for (;;) {
      this.#skipWhite();
      if (this.#value[this.#at] !== "(" || !this.#hasClosing) return;
      const close = this.#value.indexOf(")", this.#at);
      this.#hasClosing = close >= 0;
      if (this.#hasClosing) this.#at = close + 1;
    }
  }

  /** The next semicolon; the end where there is none. */
  #semicolon(): number {
    if (this.#semicolonAt < this.#at) {
      const found = this.#value.indexOf(";", this.#at);
      this.#semicolonAt = found < 0 ? this.#value.length : found;
    }
    return this.#semicolonAt;
  }

  #skipWhite(): void {
    while (/\s/.test(this.#value[this.#at] ?? "")) this.#at++;
  }
}
