import { concatBytes, encodeText } from "../../base/bytes.ts";
import { formatDateTime } from "../date.ts";
import { isAsciiText } from "../safe_text.ts";
import type { Draft } from "./draft.ts";
import { LONGEST_LINE_BYTES, mailboxField, rawField, textField } from "./fields.ts";
import { attachmentPart, multipart, type Part, textPart } from "./parts.ts";

/** What a message gets from its surroundings. */
export interface ComposeContext {
  /** The name behind the at sign of the Message-ID. */
  readonly hostname: string;
  readonly nowMs: number;
  /** Makes Message-ID and boundaries unique: letters, digits, dots and dashes, at most 60. */
  readonly unique: string;
  /** The same for boundaries, so that messages of one content have the same octets. */
  readonly boundary?: string;
}

/** A message, or what about the draft cannot become one. */
export type Composed =
  | { readonly kind: "composed"; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: "refused"; readonly reason: string };

/** Fields that a draft has keys for, or that only a relay writes. */
const OWN_FIELDS = new Set([
  ...["from", "to", "cc", "bcc", "subject", "mime-version", "received", "return-path"],
  ...["resent-bcc", "dkim-signature"],
]);
/** Fields that are made unless the draft brings them. */
const USUAL_FIELDS = new Set(["date", "message-id"]);
/** Fields of a form that encoded-words have no place in. */
const FORMED_FIELDS =
  /^(?:date|message-id|in-reply-to|references|sender|reply-to|resent-.*|list-.*|.*-to)$/;
const LONGEST_WORD_CHARS = LONGEST_LINE_BYTES - 98; // beside the longest name
const MEDIA_TYPE = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(?:;\s*[\w-]+=(?:[\w.+-]+|"[^"\\\r\n]*"))*$/;
const CONTENT_ID = /^[^\s<>()\\"]+$/;

/**
 * Writes a message (RFC 5322, RFC 2045 to 2047, RFC 2231): text and HTML as alternatives, what
 * the HTML shows beside it, files after it. Nothing in a draft can become a field or a part that
 * it does not name.
 */
export function composeMessage(draft: Draft, context: ComposeContext): Composed {
  const problem = problemOf(draft);
  if (problem !== null) return { kind: "refused", reason: problem };
  const content = contentOf(draft, context.boundary ?? context.unique);
  const head = headOf(draft, context) + "MIME-Version: 1.0\r\n" + content.fields + "\r\n";
  return { kind: "composed", bytes: concatBytes([encodeText(head), ...content.body]) };
}

function headOf(draft: Draft, { hostname, nowMs, unique }: ComposeContext): string {
  const { from, sender, replyTo, to, cc, subject, headers } = draft;
  const given = new Set(headers.map(([name]) => name.toLowerCase()));
  const fields = [mailboxField("From", from)];
  if (sender !== null) fields.push(mailboxField("Sender", [sender]));
  if (replyTo.length > 0) fields.push(mailboxField("Reply-To", replyTo));
  if (to.length > 0) fields.push(mailboxField("To", to));
  if (cc.length > 0) fields.push(mailboxField("Cc", cc));
  // RFC 5322 Appendix A.1.3: a group without members says that recipients are not shown.
  if (to.length + cc.length === 0) fields.push("To: undisclosed-recipients:;\r\n");
  fields.push(textField("Subject", subject));
  if (!given.has("date")) fields.push(rawField("Date", formatDateTime(nowMs)));
  if (!given.has("message-id")) fields.push(rawField("Message-ID", `<${unique}@${hostname}>`));
  for (const [name, value] of headers) fields.push(customField(name, value));
  return fields.join("");
}

/** A value in ASCII stands as it is: it may be encoded already. */
function customField(name: string, value: string): string {
  return isAsciiText(value) ? rawField(name, value) : textField(name, value);
}

function contentOf(draft: Draft, unique: string): Part {
  const { html, attachments } = draft;
  const shown = attachments.filter(({ contentId }) => contentId !== null).map(attachmentPart);
  const files = attachments.filter(({ contentId }) => contentId === null).map(attachmentPart);
  const boundary = (letter: string): string => `=_${letter}${unique}`; // in no encoded part
  if (html === null) files.unshift(...shown);
  const forms = formsOf(draft, { boundary: boundary("r"), shown });
  const [only = textPart("text/plain", ""), ...others] = forms;
  const content = others.length === 0
    ? only
    : multipart("alternative", { boundary: boundary("a"), parts: forms });
  if (files.length === 0) return content;
  return multipart("mixed", { boundary: boundary("m"), parts: [content, ...files] });
}

/** The forms of the text, the plainest first (RFC 2046 5.1.4). */
function formsOf(
  { text, html, alternatives = [] }: Draft,
  { boundary, shown }: { boundary: string; shown: readonly Part[] },
): Part[] {
  const forms = text === null ? [] : [textPart("text/plain", text)];
  if (html !== null) forms.push(related(textPart("text/html", html), { boundary, shown }));
  return [...forms, ...alternatives.map(({ type, text }) => textPart(type, text))];
}

/** HTML with what it shows (RFC 2387). */
function related(
  html: Part,
  { boundary, shown }: { boundary: string; shown: readonly Part[] },
): Part {
  return shown.length === 0 ? html : multipart("related", { boundary, parts: [html, ...shown] });
}

function problemOf(draft: Draft): string | null {
  const { from, headers, attachments, alternatives = [], sender, replyTo } = draft;
  if (from.length === 0) return "a message needs an author";
  const seen = new Set<string>();
  for (const [name, value] of headers) {
    const lower = name.toLowerCase();
    const isTaken = (lower === "sender" && sender !== null) ||
      (lower === "reply-to" && replyTo.length > 0);
    const reason = isTaken ? "is given twice" : fieldProblem(lower, value);
    if (reason !== null) return `the header ${JSON.stringify(name)} ${reason}`;
    if (USUAL_FIELDS.has(lower) && seen.has(lower)) return `the header ${name} is given twice`;
    seen.add(lower);
  }
  for (const { type } of alternatives) {
    const isText = /^text\//i.test(type) && MEDIA_TYPE.test(type) && !/;\s*charset=/i.test(type);
    if (!isText) return `${JSON.stringify(type)} is not a type of text without a charset`;
  }
  for (const { type, contentId, filename } of attachments) {
    if (!MEDIA_TYPE.test(type)) return `${JSON.stringify(type)} is not a media type`;
    if (contentId !== null && !CONTENT_ID.test(contentId)) {
      return `${JSON.stringify(contentId)} is not a content id`;
    }
    if (filename.length > 255) return "a file name is longer than 255 characters";
  }
  return null;
}

function fieldProblem(lowerName: string, value: string): string | null {
  if (!/^[!-9;-~]{1,76}$/.test(lowerName)) return "is no field name"; // RFC 5322 3.6.8
  if (OWN_FIELDS.has(lowerName) || lowerName.startsWith("content-")) return "cannot be set";
  if (!isAsciiText(value)) return FORMED_FIELDS.test(lowerName) ? "must be ASCII" : null;
  return value.split(/\s/).some(({ length }) => length > LONGEST_WORD_CHARS) ? "is too long" : null;
}
