import { concatBytes } from "../base/bytes.ts";
import { bodyFacts, hasEightBit } from "./body_facts.ts";
import type { DsnOriginal, DsnPart } from "./dsn_types.ts";
import { headerSection } from "./headers.ts";

const LF = 10;
const CR = 13;
const CRLF = Uint8Array.of(CR, LF);
const LONGEST_LINE_BYTES = 998; // RFC 5322 2.1.1

/**
 * The third part of a notification: the message or its header section. The message is returned
 * whole only if it is one that can stand inside another: lines of legal length that end in CRLF.
 * That leaves out BINARYMIME (RFC 3030 section 3), which an 8bit part cannot hold.
 */
export function returnedPart(
  { bytes, whole, full }: DsnOriginal,
  { smtpUtf8 }: { smtpUtf8: boolean },
): DsnPart {
  const { endOffset } = headerSection(bytes);
  const header = bytes.subarray(0, endOffset);
  // RFC 6533 section 4: a header with UTF-8 in it has media types of its own.
  const global = smtpUtf8 && hasEightBit(header);
  if (full && whole && canBeEnclosed(bytes)) {
    return part("The message", global ? "message/global" : "message/rfc822", bytes);
  }
  const type = global ? "message/global-headers" : "text/rfc822-headers";
  return part("The header of the message", type, cleanLines(header));
}

function part(description: string, type: string, content: Uint8Array): DsnPart {
  return {
    fields: [
      `Content-Description: ${description}`,
      `Content-Type: ${type}`,
      `Content-Transfer-Encoding: ${hasEightBit(content) ? "8bit" : "7bit"}`,
    ],
    content,
  };
}

function canBeEnclosed(bytes: Uint8Array): boolean {
  const { lineOriented, longestLineBytes } = bodyFacts(bytes);
  return lineOriented && longestLineBytes <= LONGEST_LINE_BYTES && !bytes.includes(0);
}

/** Lines that end in CRLF, without stray CR and NUL, cut where they are too long. */
function cleanLines(bytes: Uint8Array): Uint8Array {
  const lines: Uint8Array[] = [];
  for (let start = 0; start < bytes.length;) {
    const lf = bytes.indexOf(LF, start);
    const end = lf === -1 ? bytes.length : lf;
    const line = cleanLine(bytes.subarray(start, end));
    lines.push(line.subarray(0, LONGEST_LINE_BYTES), CRLF);
    start = end + 1;
  }
  return concatBytes(lines);
}

function cleanLine(line: Uint8Array): Uint8Array {
  const text = line[line.length - 1] === CR ? line.subarray(0, -1) : line;
  if (!text.includes(CR) && !text.includes(0)) return text;
  return text.filter((octet) => octet !== CR && octet !== 0);
}
