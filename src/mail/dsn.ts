import { Buffer } from "node:buffer";

import { concatBytes, encodeText } from "../base/bytes.ts";
import { bodyFacts, hasEightBit } from "./body_facts.ts";
import { formatDateTime } from "./date.ts";
import { returnedPart } from "./dsn_original.ts";
import { statusPart } from "./dsn_status.ts";
import { explain, subjectOf } from "./dsn_text.ts";
import type { DsnMessage, DsnPart, DsnRequest } from "./dsn_types.ts";
import { encodeQuotedPrintable } from "./quoted_printable.ts";
import { addressText, isAsciiText } from "./safe_text.ts";

/**
 * Builds a delivery status notification: a multipart/report (RFC 6522) of a text for people, a
 * message/delivery-status (RFC 3464) for programs and what is returned of the message. Where an
 * address is internationalised the forms of RFC 6533 are used. All lines are at most 998 octets
 * and end in CRLF, regardless of the texts that were handed in.
 */
export function buildDsn(request: DsnRequest): DsnMessage {
  const international = isInternational(request);
  const parts = [textPart(request), statusPart(request, { international })];
  if (request.original !== null) {
    parts.push(returnedPart(request.original, { smtpUtf8: request.about.smtpUtf8 }));
  }
  const from = `Mail Delivery System <MAILER-DAEMON@${request.reportingMta}>`;
  const messageId = `<${request.id}@${request.reportingMta}>`;
  const subject = subjectOf(request.recipients);
  const bytes = assemble(parts, {
    boundary: freeBoundary(request.id, parts),
    reportType: international ? "global-delivery-status" : "delivery-status", // RFC 6522 section 3
    fields: [
      `Date: ${formatDateTime(request.nowMs)}`,
      `From: ${from}`,
      `To: <${addressText(request.to)}>`,
      `Subject: ${subject}`,
      `Message-ID: ${messageId}`,
      ...references(request.about.messageId),
      "Auto-Submitted: auto-replied", // RFC 3834 5.2
      "MIME-Version: 1.0",
    ],
  });
  const facts = bodyFacts(bytes);
  return {
    bytes,
    body: facts.eightBit ? "8BITMIME" : "7BIT",
    // Only the To field puts UTF-8 into the header section; parts can travel as 8-bit data.
    smtpUtf8: !isAsciiText(request.to),
    facts,
    subject,
    from,
    messageId,
  };
}

/** RFC 6533 section 4: an address that ASCII cannot hold needs the global forms. */
function isInternational({ to, recipients }: DsnRequest): boolean {
  return !isAsciiText(to) || recipients.some(({ mailbox }) => !isAsciiText(mailbox));
}

function textPart(request: DsnRequest): DsnPart {
  const text = explain(request);
  const ascii = isAsciiText(text);
  return {
    fields: [
      "Content-Description: Notification",
      `Content-Type: text/plain; charset=${ascii ? "us-ascii" : "utf-8"}`,
      `Content-Transfer-Encoding: ${ascii ? "7bit" : "quoted-printable"}`,
    ],
    content: encodeText(ascii ? text : encodeQuotedPrintable(text)),
  };
}

/** RFC 5322 3.6.4, so that mail programs show the notification beside the message. */
function references(messageId: string): string[] {
  return /^<[!-;=?-~]{1,250}>$/.test(messageId) ? [`References: ${messageId}`] : [];
}

/** A boundary that no part contains (RFC 2046 5.1.1). */
function freeBoundary(id: string, parts: readonly DsnPart[]): string {
  for (let attempt = 0;; attempt++) {
    const boundary = `=_${id}_${attempt}`;
    const delimiter = encodeText(`--${boundary}`);
    if (!parts.some(({ content }) => contains(content, delimiter))) return boundary;
  }
}

function contains(bytes: Uint8Array, wanted: Uint8Array): boolean {
  const text = (octets: Uint8Array) => Buffer.from(octets.buffer, octets.byteOffset, octets.length);
  return text(bytes).includes(text(wanted));
}

function assemble(
  parts: readonly DsnPart[],
  { boundary, reportType, fields }: {
    boundary: string;
    reportType: string;
    fields: readonly string[];
  },
): Uint8Array<ArrayBuffer> {
  const eightBit = parts.some(({ content }) => hasEightBit(content));
  const header = [
    ...fields,
    `Content-Type: multipart/report; report-type=${reportType};`,
    `\tboundary="${boundary}"`,
    `Content-Transfer-Encoding: ${eightBit ? "8bit" : "7bit"}`,
    "",
  ];
  const delimited = parts.flatMap((part) => [
    encodeText(["", `--${boundary}`, ...part.fields, "", ""].join("\r\n")),
    part.content,
  ]);
  return concatBytes([
    encodeText(header.join("\r\n")),
    ...delimited,
    encodeText(`\r\n--${boundary}--\r\n`),
  ]);
}
