import { findField, headerSection } from "./headers.ts";

const GREATER = 62;
const FROM = [70, 114, 111, 109, 32]; // `From `

/**
 * Whether octets begin with what mailbox files put before a message, `From ada@example.net Mon Nov
 * 30 …` (RFC 4155) or `>From …`, and some programs send along with it. It is no field, and does not
 * end the header section where only what servers put in front precedes it.
 *
 * @param line octets that begin with the line.
 * @param before what precedes it of the header section.
 */
export function isMailboxLine(line: Uint8Array, before: Uint8Array): boolean {
  let at = 0;
  while (line[at] === GREATER) at++;
  if (!FROM.every((octet, index) => line[at + index] === octet)) return false;
  const section = headerSection(before, { limitBytes: before.length });
  if (section.endOffset < before.length) return false; // there was one already
  return ["from", "date", "subject", "to"].every((name) => findField(section, name) === null);
}
