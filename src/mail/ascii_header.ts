import { Buffer, isAscii, isUtf8 } from "node:buffer";
import { concatBytes, decodeText, encodeText } from "../base/bytes.ts";
import { parseMailbox, withAsciiDomain } from "./address.ts";
import { headerSection, unfold } from "./headers.ts";

/** Octets in one encoded-word; its base64 with the frame stays under 75 characters (RFC 2047 2). */
const WORD_BYTES = 39;
/** A section of a parameter; its line with name and number is about as long as others. */
const SECTION_CHARS = 60;
const FOLD = "\r\n ";

/** Fields of mailboxes: names may be encoded, addresses not (RFC 2047 section 5). */
const MAILBOXES: ReadonlySet<string> = new Set([
  ...["from", "sender", "reply-to", "to", "cc", "bcc", "disposition-notification-to"],
  ...["resent-from", "resent-sender", "resent-to", "resent-cc", "resent-bcc"],
]);

/** Fields of names with something in angle brackets behind them (RFC 2919 section 3). */
const PHRASES: ReadonlySet<string> = new Set([...MAILBOXES, "list-id"]);

/** Fields whose parameters may be encoded (RFC 2231). */
const PARAMETERS: ReadonlySet<string> = new Set(["content-type", "content-disposition"]);

/** Fields that programs read, with no place for encoded-words. */
const OPAQUE: ReadonlySet<string> = new Set([
  ...["date", "message-id", "in-reply-to", "references", "return-path", "received"],
  ...["mime-version", "content-transfer-encoding", "content-id", "dkim-signature"],
  ...["arc-seal", "arc-message-signature", "arc-authentication-results", "authentication-results"],
  ...["resent-date", "resent-message-id", "list-unsubscribe", "list-unsubscribe-post"],
]);

/**
 * A header section with octets above 127 written in ASCII: words as RFC 2047 has them, parameters
 * as RFC 2231 has them. All other octets stay. Null where a field has no form for them, such as an
 * address or an identifier.
 */
export function asciiHeader(header: Uint8Array): Uint8Array | null {
  const { fields, endOffset } = headerSection(header, { limitBytes: header.length });
  const pieces: Uint8Array[] = [];
  let from = 0;
  for (const { name, valueStart, valueEnd } of fields) {
    const value = header.subarray(valueStart, valueEnd);
    if (isAscii(value)) continue;
    const encoded = asciiValue(name.toLowerCase(), binaryText(value));
    if (encoded === null || HIGH.test(encoded)) return null;
    pieces.push(header.subarray(from, valueStart), encodeText(encoded));
    from = valueEnd;
  }
  const rest = header.subarray(from);
  return isAscii(header.subarray(endOffset)) ? concatBytes([...pieces, rest]) : null;
}

const HIGH = /[\x80-\xff]/;

/**
 * What of the addresses in a header section is not in ASCII: nothing, domains alone, which have
 * another form (RFC 6531 section 3.2), or more.
 */
export function utf8InAddresses(header: Uint8Array): "nothing" | "domains" | "more" {
  const { fields } = headerSection(header, { limitBytes: header.length });
  let found: "nothing" | "domains" = "nothing";
  for (const { name, valueStart, valueEnd } of fields) {
    const value = header.subarray(valueStart, valueEnd);
    if (isAscii(value) || !MAILBOXES.has(name.toLowerCase())) continue;
    for (const part of binaryText(value).match(MAILBOX_PARTS) ?? []) {
      if (!HIGH.test(part) || !isAddress(part)) continue;
      if (asciiAddress(part) === null) return "more";
      found = "domains";
    }
  }
  return found;
}

/** Values are text of one character an octet here. */
function asciiValue(name: string, value: string): string | null {
  if (OPAQUE.has(name)) return null;
  if (PARAMETERS.has(name)) return asciiParameters(value);
  return PHRASES.has(name) ? asciiPhrases(value) : asciiText(value);
}

const ENCODED_WORD = /^=\?[^?]+\?[bq]\?[^?]*\?=$/i;

/**
 * Neighbours are encoded together: white space between encoded-words is not shown. What stands
 * between words that are encoded and those that were so before is encoded with them.
 */
function asciiText(value: string): string {
  const pieces: string[] = [];
  let words = "";
  let space = "";
  for (const [index, piece] of value.split(/([ \t\r\n]+)/).entries()) {
    if (index % 2 === 1) space = piece;
    else if (HIGH.test(piece)) {
      if (words === "") pieces.push(space);
      const isBehindWord = words === "" && ENCODED_WORD.test(pieces.at(-2) ?? "");
      words += words === "" && !isBehindWord ? piece : space + piece;
      space = "";
    } else {
      const isBeforeWord = words !== "" && ENCODED_WORD.test(piece);
      if (words !== "") pieces.push(encodedWords(unfold(isBeforeWord ? words + space : words)));
      words = "";
      pieces.push(space, piece);
      space = "";
    }
  }
  if (words !== "") pieces.push(encodedWords(unfold(words)));
  return pieces.join("");
}

/**
 * Comments, quoted strings and addresses in angle brackets (RFC 5322 3.2), and what is between.
 * What nobody closed goes to the end, so that no octet is looked at twice.
 */
const MAILBOX_PARTS =
  /\((?:[^()\\]|\\[^]?)*\)?|"(?:[^"\\]|\\[^]?)*(?:"|$)|<[^>]*(?:>|$)|[^()"<>,;:]+|[^]/g;

function asciiPhrases(value: string): string | null {
  const parts = value.match(MAILBOX_PARTS) ?? [];
  const encoded = parts.map((part) => HIGH.test(part) ? asciiPhrase(part) : part);
  if (encoded.includes(null)) return null;
  // RFC 2047 section 5 (3): white space stands around each encoded-word.
  return encoded.join("").replace(/\?=(?=[<"])/g, "?= ").replace(/"(?==\?)/g, '" ');
}

function asciiPhrase(part: string): string | null {
  if (part.startsWith('"')) return encodedWords(unquoted(unfold(part)));
  if (part.startsWith("(")) return `(${encodedWords(unquoted(unfold(part)))})`;
  return isAddress(part) ? asciiAddress(part) : asciiText(part);
}

/** An address, or an angle bracket that nobody closed; no quoted string and no comment. */
function isAddress(part: string): boolean {
  return part.startsWith("<") || (part.includes("@") && !/^["(]/.test(part));
}

/** An address whose domain alone is not in ASCII (RFC 6531 section 3.2), with what is around it. */
function asciiAddress(part: string): string | null {
  const [, before = "", written = "", after = ""] = /^([<\s]*)([^<>\s]+)([>\s]*)$/.exec(part) ?? [];
  const octets = octetsOf(written);
  const parsed = isUtf8(octets) ? parseMailbox(decodeText(octets)) : null;
  const address = parsed?.kind === "ok" ? withAsciiDomain(parsed.mailbox) : written;
  return isAscii(encodeText(address)) ? `${before}${address}${after}` : null;
}

/** The content of a quoted string or a comment. */
function unquoted(part: string): string {
  return part.slice(1, -1).replace(/\\([^])/g, "$1");
}

const PARAMETER = /;[ \t\r\n]*([^ \t\r\n=;]+)[ \t]*=[ \t]*("(?:[^"\\]|\\[^]?)*(?:"|$)|[^;\r\n]*)/g;

/** Escapes stay whole. */
const SECTION = new RegExp(`(?:%..|[^%]){1,${SECTION_CHARS / 3}}`, "g");

function asciiParameters(value: string): string | null {
  let isPossible = true;
  const encoded = value.replace(PARAMETER, (parameter, name: string, written: string) => {
    if (!HIGH.test(parameter)) return parameter;
    const text = written.startsWith('"') ? unquoted(unfold(written)) : written.trimEnd();
    isPossible &&= !name.endsWith("*");
    const [first = "", ...others] = percentEncoded(text).match(SECTION) ?? [];
    const prefix = `${charsetOf(text)}''`;
    if (others.length === 0) return `;${FOLD}${name}*=${prefix}${first}`;
    const sections = [`${prefix}${first}`, ...others];
    return sections.map((section, index) => `;${FOLD}${name}*${index}*=${section}`).join("");
  });
  return isPossible ? encoded : null;
}

/** Octets, one a character, as encoded-words of base64. */
function encodedWords(octets: string): string {
  const charset = charsetOf(octets);
  // No character may be split between two words (RFC 2047 section 5).
  const units = charset === "utf-8" ? octets.match(/[^\x80-\xff]|[\xc0-\xff][\x80-\xbf]*/g) : null;
  const words: string[] = [];
  let word = "";
  for (const unit of units ?? octets) {
    if (word.length + unit.length > WORD_BYTES) {
      words.push(word);
      word = "";
    }
    word += unit;
  }
  words.push(word);
  return words.map((part) => `=?${charset}?B?${btoa(part)}?=`).join(FOLD);
}

/** RFC 1428 has a name for what nobody knows. */
function charsetOf(octets: string): "utf-8" | "unknown-8bit" {
  return isUtf8(octetsOf(octets)) ? "utf-8" : "unknown-8bit";
}

/** Every octet but those of `attribute-char` (RFC 2231 section 7) in hexadecimal. */
function percentEncoded(octets: string): string {
  return octets.replace(
    /[^A-Za-z0-9!#$&+.^_`{|}~-]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
  );
}

/** One character an octet, which the runtime's decoder of that name does not do (0x80 to 0x9f). */
function binaryText(octets: Uint8Array): string {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString("latin1");
}

function octetsOf(text: string): Uint8Array {
  return Buffer.from(text, "latin1");
}
