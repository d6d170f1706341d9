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
  }).describe("Names the listener in logs, routes and the queue; not local."),
  address: ipAddress().default("127.0.0.1")
    .describe("IP address to listen on; 0.0.0.0 or :: for all."),
  port: wholeNumber({ min: 0, max: 65535 })
    .describe("TCP port; 0 for one that the system chooses."),
  tls: oneOf(TLS_MODES).optional()
    .describe("STARTTLS may be offered or required; starttls where tls.certificates are given."),
  client_certificates: flag().default(false).describe("Ask clients for a certificate."),
  auth: oneOf(AUTH_MODES).default("offered")
    .describe("Whether clients may, or must, authenticate before they send mail."),
  auth_without_tls: flag().default(false)
    .describe("Offer AUTH without TLS, where others may read the passwords."),
  max_connections: count().default(1000).describe("Sessions at once; more get 421."),
  max_connections_per_address: count().default(100)
    .describe("Sessions at once from one client address."),
  idle_timeout: duration({ minMs: 1000 }).default("5m")
    .describe("How long a client may be silent between commands (RFC 5321 4.5.3.2.7)."),
  data_timeout: duration({ minMs: 1000 }).default("5m")
    .describe("How long a client may be silent within a message."),
  session_timeout: duration({ minMs: 1000 }).default("1d").describe("How long a session may last."),
  greet_delay: duration().default("0s")
    .describe("How long the greeting waits for clients that talk before it; 0 for not at all."),
  proxy_protocol: listOf(network()).default([])
    .describe("Networks of balancers; their connections must begin with a PROXY header."),
  xclient: listOf(network()).default([])
    .describe("Networks of proxies that may name the true client with XCLIENT and XFORWARD."),
  extensions: extensionsSchema,
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
