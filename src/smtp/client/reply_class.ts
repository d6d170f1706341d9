import type { Reply } from "../../mail/reply.ts";

/** The farewell of a server, as the answer to any command (RFC 5321 3.8). */
export const SERVICE_CLOSING = 421;

/** Whether a command was carried out (RFC 5321 4.2.1: 2yz). */
export function isPositive({ code }: Reply): boolean {
  return code < 300;
}

/** Whether a server waits for more before it carries out a command (RFC 5321 4.2.1: 3yz). */
export function isIntermediate({ code }: Reply): boolean {
  return code >= 300 && code < 400;
}
