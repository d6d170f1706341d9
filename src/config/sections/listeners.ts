import type { z } from "zod";
import { count, duration, ipAddress, listOf, table, text, wholeNumber } from "../fields.ts";
import { durationMs } from "../units.ts";

/** Where the relay accepts SMTP. */
export interface ListenerConfig {
  /** Names it in logs, routes and the queue. */
  readonly name: string;
  /** IP address without brackets. */
  readonly address: string;
  /** 0 for a port that the system chooses. */
  readonly port: number;
  /** Text behind the host name in the 220 greeting. */
  readonly banner: string;
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
  /** How long a client may be silent (RFC 5321 4.5.3.2.7). */
  readonly idleTimeoutMs: number;
}

const listener = table({
  name: text({
    expected: `a name of letters, digits, "-" and "_"`,
    isValid: (value) => /^[\w-]{1,64}$/.test(value) && value !== "local",
  }).describe("Names the listener in logs, routes and the queue; not local."),
  address: ipAddress().default("127.0.0.1")
    .describe("IP address to listen on; 0.0.0.0 or :: for all."),
  port: wholeNumber({ min: 0, max: 65535 })
    .describe("TCP port; 0 for one that the system chooses."),
  banner: text({
    expected: "one line of printable ASCII, at most 200 characters",
    isValid: (value) => /^[\x20-\x7e]{1,200}$/.test(value),
  }).default("Posthouse").describe("Text behind the host name in the greeting."),
  max_connections: count().default(1000).describe("Sessions at once; more get 421."),
  max_connections_per_address: count().default(100)
    .describe("Sessions at once from one client address."),
  idle_timeout: duration({ minMs: 1000 }).default("5m")
    .describe("How long a client may be silent (RFC 5321 4.5.3.2.7)."),
});

/** The `[[listeners]]` tables; without any, one on 127.0.0.1:2525. */
export const listenersSchema = listOf(listener, { atLeastOne: "[[listeners]] table" })
  .prefault([{ name: "smtp", address: "127.0.0.1", port: 2525 }])
  .describe("Where SMTP is accepted.");

export function listenerConfig(doc: z.output<typeof listener>): ListenerConfig {
  return {
    name: doc.name,
    address: doc.address,
    port: doc.port,
    banner: doc.banner,
    maxConnections: doc.max_connections,
    maxConnectionsPerAddress: doc.max_connections_per_address,
    idleTimeoutMs: durationMs(doc.idle_timeout),
  };
}
