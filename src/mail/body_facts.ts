import { isAscii } from "node:buffer";

import type { BodyFacts } from "./envelope.ts";

const LF = 10;
const CR = 13;
const DOT = 46;

/** Learns about a message that is in memory what the server learns while one arrives. */
export function bodyFacts(bytes: Uint8Array): BodyFacts {
  let dotLines = 0;
  let longestLineBytes = 0;
  let lineOriented = bytes.length === 0 || bytes[bytes.length - 1] === LF;
  for (let start = 0; start < bytes.length;) {
    const lf = bytes.indexOf(LF, start);
    const end = lf === -1 ? bytes.length : lf;
    const hasCrLf = lf > start && bytes[lf - 1] === CR;
    const text = bytes.subarray(start, hasCrLf ? end - 1 : end);
    if (!hasCrLf || text.includes(CR)) lineOriented = false;
    if (text[0] === DOT) dotLines++;
    if (text.length > longestLineBytes) longestLineBytes = text.length;
    start = end + 1;
  }
  return {
    sizeBytes: bytes.length,
    eightBit: hasEightBit(bytes),
    dotLines,
    longestLineBytes,
    lineOriented,
  };
}

/** Whether any octet is above 127. */
export function hasEightBit(bytes: Uint8Array): boolean {
  return !isAscii(bytes);
}
