import { isAscii } from "node:buffer";
import { decodeText } from "../../base/bytes.ts";

/** A command line taken apart; the arguments are still text. */
export type ParsedCommand =
  | {
    readonly kind: "command";
    /** The first word in upper case, all of it: `STARTTLSX` is not `STARTTLS`. */
    readonly verb: string;
    /** What follows the space after the verb, trailing spaces removed. */
    readonly args: string;
  }
  | { readonly kind: "error"; readonly reason: string };

const BEFORE_QUOTES = /^(?:MAIL|RCPT)\s[^"]*/i;

function withoutTabs(text: string): string {
  return text.replaceAll("\t", " ");
}

/**
 * Reads a command line without its CRLF (RFC 5321 4.1.1). Where `isLoose`, TABs in MAIL and RCPT
 * are spaces, as old devices send them, but not those in quotes.
 */
export function parseCommand(
  line: Uint8Array,
  { isLoose = false }: { isLoose?: boolean } = {},
): ParsedCommand {
  const written = decodeText(line);
  const text = isLoose ? written.replace(BEFORE_QUOTES, withoutTabs) : written;
  if (/[\p{Cc}]/u.test(text)) return { kind: "error", reason: "Control character in command" };
  if (text.includes("\ufffd") && !isAscii(line)) {
    return { kind: "error", reason: "Command is not UTF-8" };
  }
  const trimmed = text.trimEnd(); // RFC 5321 4.1.1: tolerate trailing white space
  const space = trimmed.indexOf(" ");
  const verb = space < 0 ? trimmed : trimmed.slice(0, space);
  if (verb === "") return { kind: "error", reason: "No command" };
  const args = space < 0 ? "" : trimmed.slice(space + 1);
  return { kind: "command", verb: verb.toUpperCase(), args };
}
