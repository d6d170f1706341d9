import { concatBytes, encodeText } from "../../base/bytes.ts";
import { hasEightBit } from "../body_facts.ts";
import { encodeQuotedPrintable } from "../quoted_printable.ts";
import { isAsciiText } from "../safe_text.ts";
import type { DraftAttachment } from "./draft.ts";
import { LONGEST_LINE_BYTES, parameter } from "./fields.ts";

/** A part of a message: its fields, with their CRLFs, and its octets, which end in CRLF. */
export interface Part {
  readonly fields: string;
  readonly body: readonly Uint8Array[];
}

const CRLF = "\r\n";
const PLAIN_LINE_CHARS = 76;
const BASE64_LINE_BYTES = 57;

/** A part of text (RFC 2046 4.1). `type` has no charset. */
export function textPart(type: string, text: string): Part {
  const lines = text.replace(/\r\n?|\n/g, CRLF);
  const isPlain = isAsciiText(lines) && !lines.includes("\0") &&
    lines.split(CRLF).every(({ length }) => length <= PLAIN_LINE_CHARS);
  const body = isPlain ? lines : encodeQuotedPrintable(lines);
  return {
    fields: `Content-Type: ${type}; charset=utf-8${CRLF}` +
      `Content-Transfer-Encoding: ${isPlain ? "7bit" : "quoted-printable"}${CRLF}`,
    body: [encodeText(body.endsWith(CRLF) ? body : body + CRLF)],
  };
}

/** A part for a file. */
export function attachmentPart(attachment: DraftAttachment): Part {
  const { filename, contentId, content } = attachment;
  const type = attachedType(attachment);
  const isMessage = type.startsWith("message/");
  const encoding = isMessage ? hasEightBit(content) ? "8bit" : "7bit" : "base64";
  const disposition = contentId === null ? "attachment" : "inline";
  const id = contentId === null ? "" : `Content-ID: <${contentId}>${CRLF}`;
  const name = filename === "" ? "" : parameter("filename", filename);
  return {
    fields: `Content-Type: ${type}${CRLF}Content-Transfer-Encoding: ${encoding}${CRLF}` +
      `${id}Content-Disposition: ${disposition}${name}${CRLF}`,
    body: isMessage ? [content, encodeText(CRLF)] : [base64Lines(content)],
  };
}

/** Parts as one (RFC 2046 5.1). The boundary is in none of them. */
export function multipart(
  subtype: "mixed" | "related" | "alternative",
  { boundary, parts }: { boundary: string; parts: readonly Part[] },
): Part {
  const body: Uint8Array[] = [];
  for (const part of parts) {
    body.push(encodeText(`--${boundary}${CRLF}${part.fields}${CRLF}`), ...part.body);
  }
  body.push(encodeText(`--${boundary}--${CRLF}`));
  return {
    fields: `Content-Type: multipart/${subtype};${CRLF} boundary="${boundary}"${CRLF}`,
    body,
  };
}

/**
 * The media type a file may be attached as. RFC 2046 5.2.1 and 5.1: messages and multiparts must
 * not be encoded, so what cannot go as it is becomes a mere file.
 */
function attachedType({ type, content }: DraftAttachment): string {
  const lower = type.toLowerCase();
  if (lower.startsWith("multipart/")) return "application/octet-stream";
  if (!lower.startsWith("message/")) return type;
  return lower === "message/rfc822" && isMailLines(content) ? type : "application/octet-stream";
}

/** Whether the octets are lines that mail can carry. */
function isMailLines(content: Uint8Array): boolean {
  let start = 0;
  while (start < content.length) {
    const lf = content.indexOf(10, start);
    const end = lf < 0 ? content.length : lf;
    if (lf >= 0 && content[lf - 1] !== 13) return false;
    if (end - start > LONGEST_LINE_BYTES) return false;
    start = end + 1;
  }
  return !content.includes(0) && !hasEightBit(content);
}

/** Base64 on lines of 76 characters (RFC 2045 6.8). */
function base64Lines(content: Uint8Array): Uint8Array {
  const lines: Uint8Array[] = [];
  const crlf = encodeText(CRLF);
  // Many lines at a time: a multiple of a line, so that only the last one has padding.
  const stepBytes = BASE64_LINE_BYTES * 1024;
  for (let from = 0; from < content.length; from += stepBytes) {
    const encoded = content.subarray(from, from + stepBytes).toBase64();
    lines.push(encodeText(encoded.replace(/.{76}(?!$)/g, `$&${CRLF}`)), crlf);
  }
  return lines.length === 0 ? crlf : concatBytes(lines);
}
