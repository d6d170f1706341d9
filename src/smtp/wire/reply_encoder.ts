import type { Reply } from "../../mail/reply.ts";

/** RFC 5321 4.5.3.1.5 counts code and CRLF in. */
const LINE_LIMIT_BYTES = 512;
/** Challenges of AUTH may be longer (RFC 4954 section 4). */
const CHALLENGE_LIMIT_BYTES = 12_288;
const CHALLENGE = 334;

/**
 * Writes a reply as its lines on the wire, CRLFs included (RFC 5321 4.2). The enhanced code
 * stands on each of them (RFC 2034 section 4).
 *
 * @throws RangeError when the code or a line is not what a reply may hold, CR and LF above all:
 * the text of a reply is never trusted to stay in its line.
 */
export function formatReplyLines({ code, enhanced, lines }: Reply): string {
  if (!Number.isInteger(code) || code < 200 || code > 599) {
    throw new RangeError(`Cannot encode reply: bad code, got ${code}`);
  }
  if (lines.length === 0) throw new RangeError("Cannot encode reply: no lines, got 0");
  const status = enhanced === undefined ? "" : `${enhanced} `;
  const last = lines.length - 1;
  const limitBytes = code === CHALLENGE ? CHALLENGE_LIMIT_BYTES : LINE_LIMIT_BYTES;
  let text = "";
  for (const [index, line] of lines.entries()) {
    text += `${code}${index === last ? " " : "-"}${status}${checkedText(line, limitBytes)}\r\n`;
  }
  return text;
}

function checkedText(line: string, limitBytes: number): string {
  // textstring = 1*(%d09 / %d32-126); RFC 6531 section 3.7.4.2 adds UTF-8
  if (/[^\t\P{Cc}]/u.test(line)) {
    throw new RangeError(
      `Cannot encode reply: control character in text, got ${JSON.stringify(line)}`,
    );
  }
  if (line.length > limitBytes - 20) {
    throw new RangeError(`Cannot encode reply: line too long, got ${line.length} characters`);
  }
  return line;
}
