import { concatBytes, encodeText } from "../base/bytes.ts";
import {
  byteOrderMark,
  headerSection,
  isMailboxLine,
  type MessageHeader,
  readHeader,
} from "./headers.ts";

const LF = 10;
const CR = 13;
const CRLF = encodeText("\r\n");

/** Whether a section ended at a line that is no field, and not at an empty one. */
export function endsAbruptly({ complete, bodyOffset, endOffset }: MessageHeader): boolean {
  return complete && bodyOffset === endOffset;
}

/**
 * A complete header section in the form in which all programs find the same fields: without white
 * space before colons, without a byte order mark or the first line of a mailbox file, and with an
 * empty line before a body. Programs differ on lines that are no field: some take the fields behind them for the
 * message's, some do not.
 *
 * @param hasBody whether octets follow it.
 */
export function inOneForm(header: MessageHeader, { hasBody }: { hasBody: boolean }): MessageHeader {
  if (!header.complete) return header;
  const { bytes, fields, endOffset } = header;
  const gaps = fields.filter((field) => field.start + field.name.length < field.valueStart - 1)
    .map(({ name, start, valueStart }) => ({ from: start + name.length, to: valueStart - 1 }));
  const line = mailboxLine(header);
  const markBytes = fields.length === 0 ? 0 : byteOrderMark(bytes);
  if (markBytes > 0) gaps.unshift({ from: 0, to: markBytes });
  const isOpen = hasBody && endsAbruptly(header);
  if (gaps.length === 0 && line === null && !isOpen) return header;
  const pieces: Uint8Array[] = [];
  let from = 0;
  const dropped = line === null ? gaps : [...gaps, line].sort((a, b) => a.from - b.from);
  for (const gap of dropped) {
    pieces.push(bytes.subarray(from, gap.from));
    from = gap.to;
  }
  pieces.push(bytes.subarray(from, endOffset), isOpen ? CRLF : bytes.subarray(endOffset));
  const whole = concatBytes(pieces);
  return {
    ...headerSection(whole, { limitBytes: whole.length + 1 }),
    complete: true,
    bytes: whole,
  };
}

/** Where the first line of a mailbox file is; null where there is none. */
function mailboxLine(
  { bytes, fields, endOffset }: MessageHeader,
): { from: number; to: number } | null {
  let lineStart = byteOrderMark(bytes);
  for (const { start, valueEnd } of [...fields, { start: endOffset, valueEnd: endOffset }]) {
    if (start > lineStart && isMailboxLine(bytes.subarray(lineStart))) {
      return { from: lineStart, to: bytes.indexOf(LF, lineStart) + 1 || endOffset };
    }
    lineStart = (bytes.indexOf(LF, valueEnd) + 1) || endOffset;
  }
  return null;
}

/** Fields that name recipients whom the others shall not see (RFC 5322 3.6.3, 3.6.6). */
const BLIND = /^(?:resent-)?bcc$/i;

/** A header section without the fields that name recipients whom the others shall not see. */
export function withoutBcc(header: MessageHeader): MessageHeader {
  const { bytes, fields, endOffset, complete } = header;
  if (!fields.some(({ name }) => BLIND.test(name))) return header;
  const pieces: Uint8Array[] = [];
  let from = 0;
  for (const [index, { name, start }] of fields.entries()) {
    if (!BLIND.test(name)) continue;
    pieces.push(bytes.subarray(from, start));
    from = fields[index + 1]?.start ?? endOffset;
  }
  const whole = concatBytes([...pieces, bytes.subarray(from)]);
  return { ...headerSection(whole, { limitBytes: whole.length + 1 }), complete, bytes: whole };
}

/** A message with its header section in that form. */
export function messageInOneForm(message: Uint8Array): Uint8Array {
  const header = readHeader(message);
  const hasBody = message.length > header.bodyOffset;
  const formed = inOneForm(header, { hasBody });
  if (formed === header) return message;
  return concatBytes([formed.bytes, message.subarray(header.bodyOffset)]);
}

/** Whether octets are lines of mail: no NUL, and no CR or LF alone (RFC 5322 2.2, 2.3). */
export function isInLines(octets: Uint8Array): boolean {
  if (octets.includes(0)) return false;
  for (let at = octets.indexOf(CR); at >= 0; at = octets.indexOf(CR, at + 1)) {
    if (octets[at + 1] !== LF) return false;
  }
  for (let at = octets.indexOf(LF); at >= 0; at = octets.indexOf(LF, at + 1)) {
    if (octets[at - 1] !== CR) return false;
  }
  return true;
}
