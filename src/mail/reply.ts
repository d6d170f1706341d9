import type { EnhancedCode } from "./enhanced_code.ts";

/**
 * A reply of an SMTP or LMTP server (RFC 5321 4.2): what this relay answers to
 * its clients and what next hops answered to it.
 */
export interface Reply {
  /** Three digits, 200 to 599. */
  readonly code: number;
  /** RFC 3463 status, absent where RFC 2034 gives none (greeting, EHLO, 3xx) or the peer sent none. */
  readonly enhanced?: EnhancedCode;
  /** The text of each line without code, enhanced code and CRLF; never empty. */
  readonly lines: readonly string[];
}

/** Makes a one-line reply. */
export function reply(code: number, enhanced: EnhancedCode | null, text: string): Reply {
  return enhanced === null ? { code, lines: [text] } : { code, enhanced, lines: [text] };
}

/** The reply on one line, for logs and records: `550 5.1.1 No such mailbox`. */
export function formatReply({ code, enhanced, lines }: Reply): string {
  const status = enhanced === undefined ? "" : ` ${enhanced}`;
  return `${code}${status} ${lines.join(" ")}`.trimEnd();
}
