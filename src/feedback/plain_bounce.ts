import { statusIn } from "./delivery_status.ts";
import { saysNoSuchMailbox } from "./severity.ts";

/** What is read from a bounce that is written for people only. */
export interface PlainBounce {
  /** `delayed`: somebody still tries. */
  readonly action: "failed" | "delayed";
  /** Whom it names; empty where that cannot be told. */
  readonly recipients: readonly string[];
  /** The line that says why, or the first one that can be shown. */
  readonly reason: string;
  /** Whether it says that it is permanently; null where it does not say. */
  readonly isPermanent: boolean | null;
}

/** Header fields of a bounce, unfolded; empty where they are not there. */
export interface BounceFields {
  readonly from: string;
  readonly subject: string;
  /** X-Failed-Recipients, which Exim writes. */
  readonly failedRecipients: string;
}

const FROM_SERVER = /mailer-daemon|postmaster|mail ?delivery (?:sub)?system|microsoft ?exchange/i;
const SUBJECT =
  /undeliver|delivery (?:status|failure|has failed|notification|incomplete|problem)|returned mail|failure notice|(?:failed|failure) delivery|(?:mail|message) (?:delivery )?failed|mail system error|could not (?:send|be delivered)|error sending|non[- ]?deliver|message .{0,40}delayed|mail failure/i;
const QMAIL = /^Hi\. (?:This is|The) /;
const STILL_TRIES =
  /\bwarning message only\b|\bdo not need to resend\b|\bwill (?:continue|keep)(?: to)? (?:be )?(?:retry|try|attempt)|\bstill being retried\b|\bhas been delayed\b|\bnot yet been delivered\b/i;
/** Bounces say what they have to say long before this. */
const LINES_LIMIT = 500;
/** What follows is the message that came back. */
const COPY =
  /^-{2,} ?(?:below this line is a copy|this is a copy of|original message|unsent message|the (?:header|body) of the (?:original )?message|returned message)/im;
const MAILBOX = /<([^<>\s@]+@[^<>\s@]+)>|^\s{1,4}([^<>\s@:;,"'()]+@[a-z0-9.-]+[a-z0-9])\s*$/i;
const CODE = /(?<![\d.@-])[45]\d\d(?=[ -][#\w<*])|(?<![\d.])#?[45]\.\d{1,3}\.\d{1,3}(?![\d.])/;

/**
 * Reads a bounce that is no notification of RFC 3464: those of qmail, of older Exim, sendmail and
 * Exchange. Null when it does not look like a bounce.
 */
export function readPlainBounce(fields: BounceFields, text: string): PlainBounce | null {
  const { message } = splitCopy(text);
  const isQmail = QMAIL.test(message);
  const isBounce = isQmail || fields.failedRecipients !== "" ||
    (FROM_SERVER.test(fields.from) && (SUBJECT.test(fields.subject) || CODE.test(message)));
  if (!isBounce) return null;
  const lines = message.split(/\r?\n/, LINES_LIMIT);
  const telling = lines.find((line) => CODE.test(line)) ?? lines.find(saysNoSuchMailbox);
  const named = fields.failedRecipients.split(",").map((name) => name.trim()).filter(Boolean);
  return {
    action: STILL_TRIES.test(message) ? "delayed" : "failed",
    recipients: named.length > 0 ? named : mailboxesIn(lines),
    reason: (telling ?? lines.find((line) => line.trim() !== "") ?? "").trim(),
    isPermanent: telling === undefined ? null : !isTemporary(telling),
  };
}

/** The lines that a text says something in, before the message that stands behind it. */
export function linesOf(text: string): string[] {
  return splitCopy(text).message.split(/\r?\n/, LINES_LIMIT);
}

/**
 * What lines say of a mailbox, for notifications that say it nowhere else: the line with a code
 * that names it, or one of the next two. Null when there is none.
 */
export function saidOf(lines: readonly string[], mailbox: string): string | null {
  const at = lines.findIndex((line) => line.includes(mailbox));
  const found = at < 0 ? undefined : lines.slice(at, at + 3).find((line) => CODE.test(line));
  if (found === undefined) return null;
  return found.slice(CODE.exec(found)?.index).trim();
}

/** Parts a bounce from the message that stands behind it in the same text. */
export function splitCopy(text: string): { message: string; copy: string } {
  const at = COPY.exec(text)?.index;
  if (at === undefined) return { message: text, copy: "" };
  const lineEnd = text.indexOf("\n", at);
  return {
    message: text.slice(0, at),
    copy: lineEnd < 0 ? "" : text.slice(lineEnd + 1).trimStart(),
  };
}

function isTemporary(line: string): boolean {
  const code = CODE.exec(line)?.[0] ?? statusIn(line) ?? "";
  return code.replace("#", "").startsWith("4");
}

function mailboxesIn(lines: readonly string[]): string[] {
  const found = lines.map((line) => MAILBOX.exec(line)).map((parts) => parts?.[1] ?? parts?.[2]);
  return [...new Set(found.filter((mailbox) => mailbox !== undefined))].slice(0, 50);
}
