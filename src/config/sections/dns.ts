import type { z } from "zod";
import { duration, type HostPort, listOf, parseHostPort, table, text } from "../fields.ts";
import { parseIp } from "../../base/ip.ts";
import { durationMs } from "../units.ts";

/** How names are resolved. */
export interface DnsConfig {
  /** Name servers by address; empty means the system's. */
  readonly servers: readonly HostPort[];
  readonly timeoutMs: number;
}

const DNS_PORT = 53;

function serverOf(value: string): HostPort | null {
  const server = parseHostPort(value, { defaultPort: DNS_PORT });
  return server === null || parseIp(server.host) === null ? null : server;
}

/** The `[dns]` table. */
export const dnsSchema = table({
  servers: listOf(text({
    expected: `an IP address with or without port, such as "127.0.0.1:5353" or "[::1]:53"`,
    isValid: (value) => serverOf(value) !== null,
  })).default([]).describe("Name servers, port 53 where not given; empty for the system's."),
  timeout: duration({ minMs: 1 }).default("10s").describe("Time limit of one look-up."),
}).prefault({}).describe("How names are resolved.");

export function dnsConfig(doc: z.output<typeof dnsSchema>): DnsConfig {
  return {
    servers: doc.servers.map(serverOf).filter((server) => server !== null),
    timeoutMs: durationMs(doc.timeout),
  };
}
