import { encodeText } from "../base/bytes.ts";
import { formatDateTime } from "./date.ts";
import type { DsnPart, DsnRecipient, DsnRequest } from "./dsn_types.ts";
import { formatReply } from "./reply.ts";
import { addressText, cutText, isAsciiText, withoutControls, wrapText } from "./safe_text.ts";
import { decodeUtf8Xtext, decodeXtext } from "./xtext.ts";

const FOLD_AT_CHARS = 76;
const REPLY_LIMIT_CHARS = 2000;

/**
 * The second part of a notification, for programs: message/delivery-status of RFC 3464 section 2
 * or, where `international`, message/global-delivery-status of RFC 6533 section 4.
 */
export function statusPart(
  request: DsnRequest,
  { international }: { international: boolean },
): DsnPart {
  const groups = [
    messageFields(request),
    ...request.recipients.map((recipient) => recipientFields(recipient, { international })),
  ];
  const fit = international ? (text: string) => text : toAscii;
  const content = groups.map((fields) => fields.map((field) => fold(fit(field))).join("")).join(
    "\r\n",
  );
  return {
    fields: [
      "Content-Description: Delivery report",
      `Content-Type: message/${international ? "global-delivery-status" : "delivery-status"}`,
      `Content-Transfer-Encoding: ${isAsciiText(content) ? "7bit" : "8bit"}`,
    ],
    content: encodeText(content),
  };
}

/** RFC 3464 2.2. */
function messageFields({ about, reportingMta }: DsnRequest): string[] {
  const envid = about.envid === undefined ? [] : [
    `Original-Envelope-Id: ${decodeXtext(about.envid)}`,
  ];
  return [
    ...envid,
    `Reporting-MTA: dns; ${reportingMta}`,
    `X-Posthouse-Queue-Id: ${about.id}`,
    `Arrival-Date: ${formatDateTime(about.arrivedAtMs)}`,
  ];
}

/** RFC 3464 2.3. */
function recipientFields(
  recipient: DsnRecipient,
  { international }: { international: boolean },
): string[] {
  const { mailbox, originalRecipient, action, status, remote, willRetryUntilMs } = recipient;
  const fields: string[] = [];
  if (originalRecipient !== undefined) {
    fields.push(`Original-Recipient: ${originalAddress(originalRecipient, { international })}`);
  }
  fields.push(
    `Final-Recipient: ${isAsciiText(mailbox) ? "rfc822" : "utf-8"}; ${addressText(mailbox)}`,
    `Action: ${action}`,
    `Status: ${status}`,
  );
  if (remote !== null) fields.push(`Remote-MTA: dns; ${remote.host}`);
  fields.push(
    `Diagnostic-Code: ${diagnostic(recipient)}`,
    `Last-Attempt-Date: ${formatDateTime(recipient.lastAttemptAtMs)}`,
  );
  if (willRetryUntilMs !== undefined) {
    fields.push(`Will-Retry-Until: ${formatDateTime(willRetryUntilMs)}`);
  }
  return fields;
}

/**
 * RFC 3461 6.3 (c): ORCPT decoded. An address of type utf-8 is decoded to UTF-8 only where that
 * may stand (RFC 6533 section 4).
 */
function originalAddress(orcpt: string, { international }: { international: boolean }): string {
  const semicolon = orcpt.indexOf(";");
  const type = orcpt.slice(0, semicolon);
  const address = orcpt.slice(semicolon + 1);
  if (type.toLowerCase() !== "utf-8") return `${type};${decodeXtext(address)}`;
  return `${type};${international ? decodeUtf8Xtext(address) : address}`;
}

/** RFC 3464 2.3.6: type `smtp` is for what a mail server said; our own findings are not that. */
function diagnostic({ remote, reply }: DsnRecipient): string {
  const type = remote === null ? "x-posthouse" : "smtp";
  return `${type}; ${cutText(formatReply(reply), REPLY_LIMIT_CHARS)}`;
}

function toAscii(field: string): string {
  return isAsciiText(field) ? field : field.replaceAll("…", "...").replace(/[^\p{ASCII}]/gu, "?");
}

/** One field with its CRLF, folded (RFC 5322 2.2.3) and free of line breaks of its own. */
function fold(field: string): string {
  const text = withoutControls(field).replace(/ {2,}/g, " ").trimEnd();
  return `${wrapText(text, FOLD_AT_CHARS).join("\r\n ")}\r\n`;
}
