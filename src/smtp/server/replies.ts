import { type Reply, reply } from "../../mail/reply.ts";

/** The greeting (RFC 5321 4.3.1), which has no enhanced code (RFC 2034 section 3). */
export function ready(hostname: string): Reply {
  return { code: 220, lines: [`${hostname} ESMTP Posthouse`] };
}

/** Replies that more than one place gives. Codes by RFC 5321 4.2.2, status by RFC 3463. */
export const REPLIES = {
  syntax: reply(500, "5.5.2", "Syntax error"),
  noArguments: reply(501, "5.5.4", "Syntax error: no arguments allowed"),
  unknownCommand: reply(500, "5.5.2", "Command not recognized"),
  notImplemented: reply(502, "5.5.1", "Command not implemented"),
  lineTooLong: reply(500, "5.5.2", "Line too long"),
  bareLf: reply(500, "5.5.2", "Line has LF without CR; lines end with CRLF"),
  sayHelloFirst: reply(503, "5.5.1", "Say HELO or EHLO first"),
  sayEhloFirst: reply(503, "5.5.1", "Say EHLO first"),
  needMail: reply(503, "5.5.1", "Need MAIL first"),
  connectionRefused: reply(503, "5.5.1", "Connection was refused; only QUIT is left"),
  needsTls: reply(530, "5.7.0", "Must issue a STARTTLS command first"), // RFC 3207 section 4
  internalError: reply(451, "4.3.0", "Internal error, try again later"),
  closingAfterError: reply(421, "4.3.0", "Internal error, closing connection"),
  shuttingDown: reply(421, "4.3.2", "Shutting down, try again later"),
  timeout: reply(421, "4.4.2", "Timeout, closing connection"),
  tooManyErrors: reply(421, "4.7.0", "Too many errors, closing connection"),
  tooManyCommands: reply(421, "4.7.0", "Too many commands, closing connection"),
  tooManyMessages: reply(421, "4.7.0", "Too many messages in this session, closing connection"),
  tooManyOctets: reply(421, "4.7.0", "Too many octets in this session, closing connection"),
  talkedEarly: reply(554, "5.5.1", "Commands sent before the greeting"),
} as const;
