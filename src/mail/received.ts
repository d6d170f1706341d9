import { parseIp } from "../base/ip.ts";
import { isAsciiText, parseDomain, parseMailbox, withAsciiDomain } from "./address.ts";
import { formatDateTime } from "./date.ts";
import type { Origin } from "./envelope.ts";

/** What a Received field tells about one step of a message. */
export interface ReceivedFacts {
  readonly origin: Origin;
  /** The name of this host. */
  readonly by: string;
  /** Queue id. */
  readonly id: string;
  /** The mailbox of the only recipient; with several of them naming one would tell on others. */
  readonly forwardPath?: string;
  readonly atMs: number;
}

/**
 * Makes the Received field of RFC 5321 4.4, folded, with its final CRLF. The argument of HELO is
 * the client's own claim: where it is no domain, it moves into a comment and the address takes
 * its place.
 */
export function formatReceived({ origin, by, id, forwardPath, atMs }: ReceivedFacts): string {
  const tls = origin.tls === undefined ? "" : ` (${commentText(origin.tls)})`;
  const destination = forwardPath === undefined ? "" : `\r\n\tfor <${tracePath(forwardPath)}>`;
  return `Received: ${fromClause(origin)}\r\n` +
    `\tby ${by} with ${origin.protocol}${tls}\r\n` +
    `\tid ${id}${destination};\r\n` +
    `\t${formatDateTime(atMs)}\r\n`;
}

/** An IP address as the address-literal of RFC 5321 4.1.3, brackets included. */
export function addressLiteral(address: string): string {
  const octets = parseIp(address);
  if (octets === null) return "[unknown]";
  if (octets.length === 4) return `[${octets.join(".")}]`;
  return `[IPv6:${address.replace(/%.*$/, "")}]`;
}

function fromClause({ helo, clientAddress }: Origin): string {
  const literal = addressLiteral(clientAddress);
  const domain = parseDomain(helo);
  if (domain !== null) return `from ${isAsciiText(helo) ? helo : domain} (${literal})`;
  return `from ${literal} (${literal}) (HELO ${commentText(helo)})`;
}

/** RFC 6531 section 3.7.3 allows UTF-8 here, which only a local part needs. */
function tracePath(forwardPath: string): string {
  const parsed = parseMailbox(forwardPath);
  return parsed.kind === "ok" ? withAsciiDomain(parsed.mailbox) : forwardPath;
}

/** Text made safe for a comment of RFC 5322 3.2.2. */
function commentText(text: string): string {
  return text.slice(0, 255).replace(/[^ -~]/g, "?").replace(/[()\\]/g, "\\$&");
}
