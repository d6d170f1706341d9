import { encodeText } from "../base/bytes.ts";

const LONGEST_LINE = 76;

/**
 * Encodes text of CRLF lines as quoted-printable UTF-8 (RFC 2045 6.7): no line is longer than 76
 * characters and every octet is ASCII.
 */
export function encodeQuotedPrintable(text: string): string {
  return text.split("\r\n").map(encodeLine).join("\r\n");
}

function encodeLine(line: string): string {
  let encoded = "";
  let lineLength = 0;
  const octets = encodeText(line);
  for (const [index, octet] of octets.entries()) {
    const unit = encodeOctet(octet, { last: index === octets.length - 1 });
    if (lineLength + unit.length >= LONGEST_LINE) {
      encoded += "=\r\n"; // a soft line break, rule 5
      lineLength = 0;
    }
    encoded += unit;
    lineLength += unit.length;
  }
  return encoded;
}

function encodeOctet(octet: number, { last }: { last: boolean }): string {
  const printable = octet >= 33 && octet <= 126 && octet !== 61;
  const blank = (octet === 32 || octet === 9) && !last; // rule 3
  if (printable || blank) return String.fromCharCode(octet);
  return `=${octet.toString(16).toUpperCase().padStart(2, "0")}`;
}
