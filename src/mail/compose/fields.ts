import { encodeText } from "../../base/bytes.ts";
import { parseMailbox, withAsciiDomain } from "../address.ts";
import { isAsciiText, withoutControls } from "../safe_text.ts";
import type { DraftMailbox } from "./draft.ts";

const CRLF = "\r\n";
/** RFC 5322 2.1.1: lines should be no longer. */
const LINE_CHARS = 78;
/** And must be no longer than this. */
export const LONGEST_LINE_BYTES = 998;
/** UTF-8 in one encoded-word; its base64 with the frame stays under 75 characters (RFC 2047 2). */
const WORD_BYTES = 42;
/** Characters of a parameter's value in one section of RFC 2231. */
const SECTION_CHARS = 60;

/** A field whose value is text for people, encoded where it has to be, with its CRLF. */
export function textField(name: string, text: string): string {
  const safe = withoutControls(text).trim();
  const words = safe.split(" ");
  const isPlain = isAsciiText(safe) && !safe.includes("=?") &&
    words.every(({ length }) => length < LONGEST_LINE_BYTES - name.length - 2);
  return foldField(name, isPlain ? words : encodedWords(safe));
}

/** A field whose value has a form of its own and must not be encoded, with its CRLF. */
export function rawField(name: string, value: string): string {
  return foldField(name, withoutControls(value).trim().split(" "));
}

/** A field of mailboxes, with its CRLF. */
export function mailboxField(name: string, mailboxes: readonly DraftMailbox[]): string {
  return `${name}: ${mailboxes.map(formatMailbox).join(`,${CRLF} `)}${CRLF}`;
}

/** `; name="value"`, on a line of its own, in the form of RFC 2231 where it is not plain. */
export function parameter(name: string, value: string): string {
  const safe = withoutControls(value);
  if (isAsciiText(safe) && safe.length <= SECTION_CHARS && !safe.includes("=?")) {
    return `;${CRLF} ${name}="${safe.replace(/["\\]/g, "\\$&")}"`;
  }
  const sections = sectionsOf(`utf-8''${percentEncoded(safe)}`);
  if (sections.length === 1) return `;${CRLF} ${name}*=${sections[0]}`;
  return sections.map((section, index) => `;${CRLF} ${name}*${index}*=${section}`).join("");
}

/** A mailbox as a field holds it (RFC 5322 3.4). */
export function formatMailbox({ name: written, address: mailbox }: DraftMailbox): string {
  const parsed = parseMailbox(mailbox);
  const address = parsed.kind === "ok" ? withAsciiDomain(parsed.mailbox) : mailbox;
  const name = withoutControls(written).trim();
  if (name === "") return address;
  if (/^[\w !#$%&'*+/^`{|}~-]+$/.test(name) && name.length < LINE_CHARS) {
    return `${name} <${address}>`;
  }
  if (isAsciiText(name) && !name.includes("=?") && name.length < LINE_CHARS) {
    return `"${name.replace(/["\\]/g, "\\$&")}" <${address}>`;
  }
  return `${encodedWords(name).join(`${CRLF} `)} <${address}>`;
}

/** Words on lines that are as long as they may be (RFC 5322 2.2.3). */
function foldField(name: string, words: readonly string[]): string {
  let field = "";
  let line = `${name}:`;
  for (const word of words) {
    if (line.length + 1 + word.length > LINE_CHARS && line.trim() !== "" && word !== "") {
      field += line + CRLF;
      line = "";
    }
    line += ` ${word}`;
  }
  return field + line + CRLF;
}

/** Text in encoded-words, no character split between two (RFC 2047 section 5). */
function encodedWords(text: string): string[] {
  const words: string[] = [];
  let word = "";
  let wordBytes = 0;
  for (const char of text) {
    const charBytes = encodeText(char).length;
    if (wordBytes + charBytes > WORD_BYTES) {
      words.push(word);
      word = "";
      wordBytes = 0;
    }
    word += char;
    wordBytes += charBytes;
  }
  words.push(word);
  return words.map((part) => `=?utf-8?B?${encodeText(part).toBase64()}?=`);
}

/** Every octet but those of `attribute-char` (RFC 2231 section 7) in hexadecimal. */
function percentEncoded(text: string): string {
  return encodeURIComponent(text.toWellFormed())
    .replace(/['()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** Cuts an encoded value into sections, no `%XX` in two of them. */
function sectionsOf(encoded: string): string[] {
  const sections: string[] = [];
  for (const unit of encoded.match(/%[\dA-F]{2}|./g) ?? []) {
    const last = sections.at(-1);
    if (last === undefined || last.length + unit.length > SECTION_CHARS) sections.push(unit);
    else sections[sections.length - 1] = last + unit;
  }
  return sections;
}
