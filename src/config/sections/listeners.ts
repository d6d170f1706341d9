import type { z } from "zod";
import {
  count,
  duration,
  flag,
  ipAddress,
  listOf,
  network,
  oneOf,
  table,
  text,
  wholeNumber,
} from "../fields.ts";
import { durationMs } from "../units.ts";
import { disabledExtensions, extensionsSchema } from "./extensions.ts";

/** Where the relay accepts SMTP. */
export interface ListenerConfig {
  /** Names it in logs, routes and the queue. */
  readonly name: string;
  /** IP address without brackets. */
  readonly address: string;
  /** 0 for a port that the system chooses. */
  readonly port: number;
  /** How connections come to TLS; null for STARTTLS where there are certificates. */
  readonly tls: ListenerTlsMode | null;
  /** Whether clients are asked for a certificate. */
  readonly clientCertificates: boolean;
  readonly auth: ListenerAuthMode;
  /** Whether AUTH is offered on connections without TLS, too. */
  readonly authWithoutTls: boolean;
  /** EHLO keywords of extensions that are switched off. */
  readonly extensionsOff: readonly string[];
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
  /** How long a client may take to send a command or to take a reply (RFC 5321 4.5.3.2.7). */
  readonly idleTimeoutMs: number;
  /** How long the next octets of a message may take to arrive. */
  readonly dataTimeoutMs: number;
  /** How long a session may last. */
  readonly sessionTimeoutMs: number;
  /** How long the greeting waits for clients that talk before it; 0 does not look for them. */
  readonly greetDelayMs: number;
  /** Balancers, whose connections begin with a PROXY header; CIDR notation. */
  readonly proxyProtocol: readonly string[];
  /** Peers that may speak for others with XCLIENT and XFORWARD; CIDR notation. */
  readonly xclient: readonly string[];
}

const TLS_MODES = ["none", "starttls", "required", "implicit"] as const;
export type ListenerTlsMode = typeof TLS_MODES[number];
const AUTH_MODES = ["off", "offered", "required"] as const;
export type ListenerAuthMode = typeof AUTH_MODES[number];

const listener = table({
  name: text({
    expected: `a name of letters, digits, "-" and "_"`,
    isValid: (value) => /^[\w-]{1,64}$/.test(value) && value !== "local",
  }).describe(`Name of the listener in logs, routes and the queue. "local" is reserved.`),
  address: ipAddress().default("127.0.0.1")
    .describe("IP address to listen on; 0.0.0.0 or :: for all."),
  port: wholeNumber({ min: 0, max: 65535 })
    .describe("TCP port; 0 lets the system choose."),
  tls: oneOf(TLS_MODES).optional()
    .describe("STARTTLS mode. Default: starttls if tls.certificates is set, else none."),
  client_certificates: flag().default(false).describe("Ask clients for a certificate."),
  auth: oneOf(AUTH_MODES).default("offered")
    .describe("Offer or require authentication before mail is accepted."),
  auth_without_tls: flag().default(false)
    .describe("Offer AUTH without TLS, where passwords can be intercepted."),
  max_connections: count().default(1000).describe("Concurrent sessions; further ones get 421."),
  max_connections_per_address: count().default(100)
    .describe("Concurrent sessions from one client address."),
  idle_timeout: duration({ minMs: 1000 }).default("5m")
    .describe("Idle time between commands (RFC 5321 4.5.3.2.7)."),
  data_timeout: duration({ minMs: 1000 }).default("5m")
    .describe("Idle time within a message."),
  session_timeout: duration({ minMs: 1000 }).default("1d").describe("Longest session."),
  greet_delay: duration().default("0s")
    .describe("Delay of the greeting that detects clients that talk early; 0 disables it."),
  proxy_protocol: listOf(network()).default([])
    .describe("Networks of load balancers whose connections must begin with a PROXY header."),
  xclient: listOf(network()).default([])
    .describe("Networks of proxies that may use XCLIENT and XFORWARD."),
  extensions: extensionsSchema,
});

/** The `[[listeners]]` tables; without any, one on 127.0.0.1:2525. */
export const listenersSchema = listOf(listener, { atLeastOne: "[[listeners]] table" })
  .prefault([{ name: "smtp", address: "127.0.0.1", port: 2525 }])
  .describe("SMTP listeners.");

export function listenerConfig(doc: z.output<typeof listener>): ListenerConfig {
  return {
    name: doc.name,
    address: doc.address,
    port: doc.port,
    tls: doc.tls ?? null,
    clientCertificates: doc.client_certificates,
    auth: doc.auth,
    authWithoutTls: doc.auth_without_tls,
    extensionsOff: disabledExtensions(doc.extensions),
    maxConnections: doc.max_connections,
    maxConnectionsPerAddress: doc.max_connections_per_address,
    idleTimeoutMs: durationMs(doc.idle_timeout),
    dataTimeoutMs: durationMs(doc.data_timeout),
    sessionTimeoutMs: durationMs(doc.session_timeout),
    greetDelayMs: durationMs(doc.greet_delay),
    proxyProtocol: doc.proxy_protocol,
    xclient: doc.xclient,
  };
}
