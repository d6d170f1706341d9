import { Buffer } from "node:buffer";

/** Undoes a Content-Transfer-Encoding (RFC 2045 section 6); what is malformed is passed over. */
export function transferDecode(
  body: Uint8Array<ArrayBuffer>,
  encoding: string,
): Uint8Array<ArrayBuffer> {
  switch (encoding) {
    case "base64":
      return new Uint8Array(Buffer.from(asLatin1(body), "base64"));
    case "quoted-printable":
      return fromQuotedPrintable(body);
    default:
      return body;
  }
}

const EQUALS = 61;
const LF = 10;

/** RFC 2045 section 6.7. An `=` that begins nothing stands for itself. */
function fromQuotedPrintable(body: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const decoded = new Uint8Array(body.length);
  let length = 0;
  for (let at = 0; at < body.length;) {
    const next = body.indexOf(EQUALS, at);
    const end = next < 0 ? body.length : next;
    if (end > at) {
      decoded.set(body.subarray(at, end), length);
      length += end - at;
    }
    if (next < 0) break;
    const octet = hexDigit(body[next + 1]) * 16 + hexDigit(body[next + 2]);
    const afterBreak = octet < 0 ? softBreakEnd(body, next + 1) : null;
    if (octet >= 0) decoded[length++] = octet;
    else if (afterBreak === null) decoded[length++] = EQUALS;
    at = octet >= 0 ? next + 3 : afterBreak ?? next + 1;
  }
  return decoded.subarray(0, length);
}

/** The value of a digit; far below zero for all else. */
function hexDigit(octet: number | undefined): number {
  if (octet === undefined) return -1_000;
  if (octet >= 48 && octet <= 57) return octet - 48;
  const lower = octet | 0x20;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1_000;
}

/** The end of a soft line break, white space before it included; null when there is none. */
function softBreakEnd(body: Uint8Array, from: number): number | null {
  let at = from;
  while (body[at] === 32 || body[at] === 9 || body[at] === 13) at++;
  return body[at] === LF || at >= body.length ? at + 1 : null;
}

function asLatin1({ buffer, byteOffset, byteLength }: Uint8Array<ArrayBuffer>): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString("latin1");
}
