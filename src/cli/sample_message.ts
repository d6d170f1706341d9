import { encodeText } from "../base/bytes.ts";
import { formatDateTime } from "../mail/date.ts";

/** What a generated message is to look like. */
export interface SampleMessage {
  readonly from: string;
  readonly to: readonly string[];
  readonly subject: string;
  /** Makes the Message-ID; unique. */
  readonly id: string;
  readonly dateMs: number;
  /** Paragraphs of the text; lines end at CRLF by themselves. */
  readonly text: string;
  /** A file to attach. */
  readonly attachment?: { readonly name: string; readonly bytes: Uint8Array };
}

/** Writes a message of RFC 5322 with CRLF line ends; text and subject may be any Unicode. */
export function sampleMessage(sample: SampleMessage): Uint8Array<ArrayBuffer> {
  const { from, to, subject, id, dateMs, attachment } = sample;
  const domain = from.split("@").at(-1);
  const head = [
    `From: <${from}>`,
    `To: ${to.map((mailbox) => `<${mailbox}>`).join(",\r\n ")}`,
    `Subject: ${encodeWord(subject)}`,
    `Date: ${formatDateTime(dateMs)}`,
    `Message-ID: <${id}@${domain}>`,
    "MIME-Version: 1.0",
  ];
  const body = attachment === undefined ? textPart(sample.text) : [
    `Content-Type: multipart/mixed; boundary="part-${id}"`,
    "",
    `--part-${id}`,
    ...textPart(sample.text),
    `--part-${id}`,
    ...filePart(attachment),
    `--part-${id}--`,
    "",
  ];
  return encodeText([...head, ...body].join("\r\n"));
}

/** Lines of readable text, about `sizeBytes` octets of it. */
export function fillerText(sizeBytes: number): string {
  const line = "This line fills the message up to the requested size.\\r\n";
  return line.repeat(Math.max(1, Math.ceil(sizeBytes / line.length)));
}

function textPart(text: string): string[] {
  return [
    "Content-Type: text/plain; charset=utf-8",
    `Content-Transfer-Encoding: ${isAscii(text) ? "7bit" : "8bit"}`,
    "",
    text.replace(/\r?\n/g, "\r\n").trimEnd(),
    "",
  ];
}

function filePart({ name, bytes }: { name: string; bytes: Uint8Array }): string[] {
  return [
    `Content-Type: application/octet-stream; name="${name}"`,
    `Content-Disposition: attachment; filename="${name}"`,
    "Content-Transfer-Encoding: base64",
    "",
    ...bytes.toBase64().match(/.{1,76}/g) ?? [], // RFC 2045 6.8
  ];
}

/** An encoded-word where ASCII does not do (RFC 2047); short texts only. */
function encodeWord(text: string): string {
  return isAscii(text) ? text : `=?utf-8?B?${encodeText(text).toBase64()}?=`;
}

function isAscii(text: string): boolean {
  return /^[\x20-\x7e\r\n]*$/.test(text);
}
