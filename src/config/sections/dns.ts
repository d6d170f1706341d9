import type { z } from "zod";
import { count, duration, listOf, parseHostPort, table, text } from "../fields.ts";
import { parseIp } from "../../base/ip.ts";
import { durationMs } from "../units.ts";

/** How names are resolved. */
export interface DnsConfig {
  /** Each `address` or `address:port`, IPv6 as `[address]:port`; empty means the system's. */
  readonly servers: readonly string[];
  /** For one try at one server. */
  readonly timeoutMs: number;
  /** Rounds over all servers. */
  readonly attempts: number;
}

const DNS_PORT = 53;

function isServer(value: string): boolean {
  const server = parseHostPort(value, { defaultPort: DNS_PORT });
  return server !== null && parseIp(server.host) !== null;
}

/** The `[dns]` table. */
export const dnsSchema = table({
  servers: listOf(text({
    expected: `an IP address with or without port, such as "127.0.0.1:5353" or "[::1]:53"`,
    isValid: isServer,
  })).default([]).describe("Name servers; the default port is 53. Empty: those of the system."),
  timeout: duration({ minMs: 1 }).default("5s").describe("Time limit of one query to one server."),
  attempts: count().default(2).describe("Rounds over all servers."),
}).prefault({}).describe("DNS resolver.");

export function dnsConfig(doc: z.output<typeof dnsSchema>): DnsConfig {
  return {
    servers: doc.servers,
    timeoutMs: durationMs(doc.timeout),
    attempts: doc.attempts,
  };
}
