import { encodeText } from "../../base/bytes.ts";
import { formatDateTime } from "../../mail/date.ts";
import { encodeQuotedPrintable } from "../../mail/quoted_printable.ts";
import { isAsciiText, withoutControls } from "../../mail/safe_text.ts";

/** What an operator wrote. Mailboxes hold no white space and no angle brackets. */
export interface Composition {
  /** Empty for the null reverse-path; the message is from the relay's postmaster then. */
  readonly from: string;
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
  /** The relay's own name. */
  readonly hostname: string;
  readonly nowMs: number;
  /** Makes the Message-ID unique. */
  readonly unique: string;
}

/** Octets of UTF-8 in one encoded-word; with its frame it stays under 75 (RFC 2047 2). */
const WORD_BYTES = 42;

/** Writes a plain text message (RFC 5322). Nothing that was written can become a field. */
export function composeMessage(composition: Composition): Uint8Array<ArrayBuffer> {
  const { from, to, subject, text, hostname, nowMs, unique } = composition;
  const lines = [
    `From: <${withoutControls(from === "" ? `postmaster@${hostname}` : from)}>`,
    `To: ${to.map((mailbox) => `<${withoutControls(mailbox)}>`).join(",\r\n ")}`,
    `Subject: ${fieldWords(withoutControls(subject))}`,
    `Date: ${formatDateTime(nowMs)}`,
    `Message-ID: <${unique}@${hostname}>`,
    "MIME-Version: 1.0",
    "Content-Type: text/plain; charset=utf-8",
    "Content-Transfer-Encoding: quoted-printable",
    "",
    encodeQuotedPrintable(text.replace(/\r\n?|\n/g, "\r\n")),
    "",
  ];
  return encodeText(lines.join("\r\n"));
}

/** Text for a field: as it is where that is safe, otherwise in encoded-words (RFC 2047). */
function fieldWords(text: string): string {
  if (isAsciiText(text) && text.length <= 60 && !text.includes("=?")) return text;
  const words: string[] = [];
  let word = "";
  for (const char of text) {
    if (encodeText(word + char).length > WORD_BYTES) {
      words.push(word);
      word = "";
    }
    word += char;
  }
  words.push(word);
  return words.map((part) => `=?utf-8?B?${encodeText(part).toBase64()}?=`).join("\r\n ");
}
