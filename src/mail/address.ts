import { domainToASCII } from "node:url";
import { encodeText } from "../base/bytes.ts";
import { parseIpv4, parseIpv6 } from "../base/ip.ts";

/** A mailbox of RFC 5321 4.1.2, with the characters RFC 6531 section 3.3 adds. */
export interface Mailbox {
  /** What the local part means: quotes and quoted pairs taken away. */
  readonly localPart: string;
  /** A-labels in lower case, or an address literal with its brackets. */
  readonly domain: string;
  /** The mailbox as written. */
  readonly text: string;
}

/** Where in the text the grammar was left (a UTF-16 offset), and why. */
export interface AddressError {
  readonly kind: "error";
  readonly at: number;
  /** A few words, safe to send to a client. */
  readonly reason: string;
}

/** What `parseMailbox` found. */
export type MailboxResult = { readonly kind: "ok"; readonly mailbox: Mailbox } | AddressError;

/** A mailbox found within a longer text; `end` is the offset after it. */
export type ScannedMailbox =
  | { readonly kind: "ok"; readonly mailbox: Mailbox; readonly end: number }
  | AddressError;

/** A domain or address literal found within a longer text; `end` is the offset after it. */
export type ScannedDomain =
  | { readonly kind: "ok"; readonly domain: string; readonly end: number }
  | AddressError;

type ScannedText =
  | { readonly kind: "ok"; readonly value: string; readonly end: number }
  | AddressError;

// Octets. RFC 5321 4.5.3.1.1 asks for 64 at least; return addresses with VERP or SRS are longer.
const LOCAL_PART_LIMIT = 255;
const DOMAIN_LIMIT = 255; // octets, RFC 5321 4.5.3.1.2
const LABEL_LIMIT = 63; // octets, RFC 1035 2.3.4

/** Reads a mailbox that is all of `text`. */
export function parseMailbox(text: string): MailboxResult {
  const scanned = scanMailbox(text, 0);
  if (scanned.kind === "error") return scanned;
  if (scanned.end !== text.length) return failure(scanned.end, "unexpected character");
  return { kind: "ok", mailbox: scanned.mailbox };
}

/** Reads a domain or address literal that is all of `text`; null when it is neither. */
export function parseDomain(text: string): string | null {
  const scanned = scanDomain(text, 0);
  return scanned.kind === "ok" && scanned.end === text.length ? scanned.domain : null;
}

/** Reads a mailbox that begins at `at`. */
export function scanMailbox(text: string, at: number): ScannedMailbox {
  const local = text[at] === '"' ? scanQuotedString(text, at) : scanDotString(text, at);
  if (local.kind === "error") return local;
  if (text[local.end] !== "@") return failure(local.end, "expected @");
  if (octetsOf(text.slice(at, local.end)) > LOCAL_PART_LIMIT) {
    return failure(at, "local part too long");
  }
  if (foldsToSpecials(local.value)) return failure(at, "character that others read as another");
  const domain = scanDomain(text, local.end + 1);
  if (domain.kind === "error") return domain;
  const written = text.slice(at, domain.end);
  const mailbox = { localPart: local.value, domain: domain.domain, text: written };
  return { kind: "ok", mailbox, end: domain.end };
}

/** Reads a domain or address literal that begins at `at`. */
export function scanDomain(text: string, at: number): ScannedDomain {
  if (text[at] === "[") return scanAddressLiteral(text, at);
  let end = at;
  while (end < text.length && isDomainUnit(text.charCodeAt(end))) end++;
  if (end === at) return failure(at, "expected a domain");
  const written = text.slice(at, end);
  // RFC 6531 section 3.2: a U-label is the same domain as its A-label.
  const ascii = isAsciiText(written) ? written.toLowerCase() : domainToASCII(written);
  const reason = domainProblem(ascii);
  return reason === null ? { kind: "ok", domain: ascii, end } : failure(at, reason);
}

/**
 * A mailbox as it is written where that is in ASCII, else with its domain in A-labels where that
 * makes it so: RFC 6531 section 3.2 lets both be the same, and only one needs SMTPUTF8.
 */
export function withAsciiDomain({ text, domain }: Mailbox): string {
  const localPart = text.slice(0, text.lastIndexOf("@"));
  return isAsciiText(text) || !isAsciiText(localPart) ? text : `${localPart}@${domain}`;
}

/** Whether every character is in ASCII, so that the text needs no SMTPUTF8. */
export function isAsciiText(text: string): boolean {
  return !/[\u0080-\uffff]/.test(text);
}

/** Dot-string = Atom *("." Atom) */
function scanDotString(text: string, at: number): ScannedText {
  let end = at;
  for (;;) {
    const atomAt = end;
    while (end < text.length && isAtomUnit(text.charCodeAt(end))) end++;
    if (end === atomAt) {
      return failure(end, end === at ? "expected a local part" : "expected an atom after the dot");
    }
    if (text[end] !== ".") return { kind: "ok", value: text.slice(at, end), end };
    end++;
  }
}

/** Quoted-string = DQUOTE *(qtextSMTP / quoted-pairSMTP) DQUOTE */
function scanQuotedString(text: string, at: number): ScannedText {
  let value = "";
  let end = at + 1;
  while (text[end] !== '"') {
    if (text[end] === "\\") end++;
    if (end >= text.length) return failure(end, "unfinished quoted string");
    const unit = text.charCodeAt(end);
    if (!isQuotable(unit)) return failure(end, "character not allowed in a quoted string");
    value += text.charAt(end);
    end++;
  }
  return { kind: "ok", value, end: end + 1 };
}

/** address-literal of RFC 5321 4.1.3 */
function scanAddressLiteral(text: string, at: number): ScannedDomain {
  const close = text.indexOf("]", at);
  if (close < 0) return failure(text.length, "unfinished address literal");
  const content = text.slice(at + 1, close);
  const colon = content.indexOf(":");
  const canonical = colon < 0 ? ipv4Literal(content) : taggedLiteral(content, colon);
  if (canonical === null) return failure(at, "bad address literal");
  return { kind: "ok", domain: `[${canonical}]`, end: close + 1 };
}

function ipv4Literal(content: string): string | null {
  return parseIpv4(content) === null ? null : content;
}

function taggedLiteral(content: string, colon: number): string | null {
  const tag = content.slice(0, colon);
  const rest = content.slice(colon + 1);
  if (tag.toLowerCase() === "ipv6") {
    return parseIpv6(rest) === null ? null : `IPv6:${rest.toLowerCase()}`;
  }
  // General-address-literal = Standardized-tag ":" 1*dcontent; an IPv6 address without its tag
  // would fit that, but nobody means it
  if (parseIpv6(content) !== null || content.length > DOMAIN_LIMIT) return null;
  return /^[a-z\d-]*[a-z\d]$/i.test(tag) && /^[!-Z^-~]+$/.test(rest) ? content : null;
}

function domainProblem(ascii: string): string | null {
  if (ascii.length === 0) return "bad internationalized domain";
  if (ascii.length > DOMAIN_LIMIT) return "domain too long";
  for (const label of ascii.split(".")) {
    if (label.length === 0) return "empty label in domain";
    if (label.length > LABEL_LIMIT) return "label too long in domain";
    // The underscore is in no grammar, but in the names of real hosts.
    if (!/^[a-z\d_]([a-z\d_-]*[a-z\d_])?$/.test(label)) return "bad label in domain";
  }
  return null;
}

function isDomainUnit(unit: number): boolean {
  return isAlphanumeric(unit) || unit === 0x2d || unit === 0x2e || unit === 0x5f ||
    isInternational(unit);
}

/** atext of RFC 5322 3.2.3, and UTF8-non-ascii of RFC 6531 */
function isAtomUnit(unit: number): boolean {
  return isAlphanumeric(unit) || isInternational(unit) ||
    (unit < 0x80 && "!#$%&'*+-/=?^_`{|}~".includes(String.fromCharCode(unit)));
}

function isQuotable(unit: number): boolean {
  return (unit >= 0x20 && unit <= 0x7e) || isInternational(unit);
}

function isAlphanumeric(unit: number): boolean {
  return (unit >= 0x61 && unit <= 0x7a) || (unit >= 0x30 && unit <= 0x39) ||
    (unit >= 0x41 && unit <= 0x5a);
}

/** Above ASCII, but neither a C1 control nor what stands for octets that were not UTF-8. */
function isInternational(unit: number): boolean {
  return unit >= 0xa0 && unit !== 0xfffd;
}

/**
 * Whether a local part has characters that programs behind us may fold to specials of ASCII, such
 * as a full-width `@`, `%` or `!`: they would read another mailbox than we do (UTS 36 section 2).
 */
function foldsToSpecials(localPart: string): boolean {
  const beyondAscii = localPart.replace(/\p{ASCII}+/gu, "");
  return beyondAscii !== "" && /[^\P{ASCII}a-z0-9]/iu.test(beyondAscii.normalize("NFKC"));
}

function octetsOf(text: string): number {
  return isAsciiText(text) ? text.length : encodeText(text).length;
}

function failure(at: number, reason: string): AddressError {
  return { kind: "error", at, reason };
}
