import { z } from "zod";
import {
  count,
  duration,
  hostname,
  type HostPort,
  ipAddress,
  listOf,
  oneOf,
  parseHostPort,
  port,
  table,
  text,
} from "../fields.ts";
import { durationMs } from "../units.ts";

/** A way out of the relay. */
export type TransportConfig = MxTransportConfig | SmarthostTransportConfig;

/** Delivery to the mail servers of the recipient's domain (RFC 5321 5.1). */
export interface MxTransportConfig extends SmtpTransportConfig {
  readonly type: "mx";
  readonly port: number;
}

/** Delivery through given servers. */
export interface SmarthostTransportConfig extends SmtpTransportConfig {
  readonly type: "smarthost";
  /** At least one. */
  readonly hosts: readonly HostPort[];
  /** `in_order`: the later ones stand in for the first; `shuffled`: they share the work. */
  readonly selection: "in_order" | "shuffled";
}

/** What all transports that speak SMTP have in common. */
export interface SmtpTransportConfig {
  /** The argument of EHLO; null for the relay's host name. */
  readonly helo: string | null;
  /** Local IP address of connections; null lets the system choose. */
  readonly sourceAddress: string | null;
  /** Which kinds of address are used, and which first. */
  readonly addressOrder: "ipv4_first" | "ipv6_first" | "ipv4_only" | "ipv6_only";
  /** The most addresses one attempt connects to. */
  readonly maxAddresses: number;
  /** The most attempts at once to one destination. */
  readonly maxConcurrency: number;
  /** The most recipients in one transaction. */
  readonly maxRecipients: number;
  readonly maxMessagesPerConnection: number;
  readonly maxConnectionAgeMs: number;
  /** How long an unused connection is kept for reuse; 0 for not at all. */
  readonly connectionIdleMs: number;
  readonly timeouts: TransportTimeouts;
}

/** Time limits of each step, in milliseconds (RFC 5321 4.5.3.2). */
export interface TransportTimeouts {
  readonly connectMs: number;
  readonly greetingMs: number;
  readonly helloMs: number;
  readonly mailMs: number;
  readonly rcptMs: number;
  readonly dataMs: number;
  /** For each block of the message, not for all of it. */
  readonly bodyMs: number;
  readonly dotMs: number;
  readonly rsetMs: number;
  readonly quitMs: number;
}

const SMTP_PORT = 25;

const timeLimit = (): ReturnType<typeof duration> => duration({ minMs: 1 });

const timeouts = table({
  connect: timeLimit().default("30s").describe("TCP connection to one address."),
  greeting: timeLimit().default("5m").describe("The 220 greeting (RFC 5321 4.5.3.2.1)."),
  hello: timeLimit().default("5m").describe("The reply to EHLO or HELO."),
  mail: timeLimit().default("5m").describe("The reply to MAIL (4.5.3.2.2)."),
  rcpt: timeLimit().default("5m").describe("The reply to RCPT (4.5.3.2.3)."),
  data: timeLimit().default("2m").describe("The reply to DATA (4.5.3.2.4)."),
  body: timeLimit().default("3m").describe("Each block of the message (4.5.3.2.5)."),
  dot: timeLimit().default("10m").describe("The reply to the final dot (4.5.3.2.6)."),
  rset: timeLimit().default("20s").describe("The reply to RSET."),
  quit: timeLimit().default("2s").describe("The reply to QUIT."),
}).prefault({}).describe("Time limits of each step.");

const common = {
  helo: hostname().optional().describe("Argument of EHLO; the relay's hostname where not given."),
  source_address: ipAddress().optional().describe("Local IP address of connections."),
  address_order: oneOf(["ipv4_first", "ipv6_first", "ipv4_only", "ipv6_only"])
    .default("ipv4_first").describe("Which kinds of address are used, and which first."),
  max_addresses: count().default(5).describe("Addresses that one attempt connects to."),
  max_concurrency: count().default(20).describe("Attempts at once to one destination."),
  max_recipients: count().default(100).describe("Recipients in one transaction."),
  max_messages_per_connection: count().default(100)
    .describe("Messages after which a connection is replaced."),
  max_connection_age: timeLimit().default("5m").describe("Age at which a connection is replaced."),
  connection_idle: duration().default("30s")
    .describe("How long an unused connection is kept; 0 for not at all."),
  timeouts,
};

const mx = table({
  type: z.literal("mx"),
  port: port().default(SMTP_PORT).describe("Port of the destinations' servers."),
  ...common,
});

const smarthost = table({
  type: z.literal("smarthost"),
  hosts: listOf(
    text({
      expected: `a host with or without port, such as "smtp.example.net:25"`,
      isValid: (value) => hostOf(value) !== null,
    }),
    { atLeastOne: "host" },
  ).describe("Servers, port 25 where not given."),
  selection: oneOf(["in_order", "shuffled"]).default("in_order")
    .describe("Whether the later hosts stand in for the first, or all share the work."),
  ...common,
});

/** The `[transports.NAME]` tables; without any, one of type mx. */
export const transportsSchema = z.record(
  z.string(),
  z.discriminatedUnion("type", [mx, smarthost], { error: `one of "mx", "smarthost"` }),
  { error: "a table of transports" },
).prefault({ mx: { type: "mx" } }).describe("Ways out, by name.");

type TransportDoc = z.output<typeof mx> | z.output<typeof smarthost>;

export function transportConfig(doc: TransportDoc): TransportConfig {
  if (doc.type === "mx") return { type: "mx", port: doc.port, ...commonConfig(doc) };
  const hosts = doc.hosts.map(hostOf).filter((host) => host !== null);
  return { type: "smarthost", hosts, selection: doc.selection, ...commonConfig(doc) };
}

function commonConfig(doc: TransportDoc): SmtpTransportConfig {
  return {
    helo: doc.helo ?? null,
    sourceAddress: doc.source_address ?? null,
    addressOrder: doc.address_order,
    maxAddresses: doc.max_addresses,
    maxConcurrency: doc.max_concurrency,
    maxRecipients: doc.max_recipients,
    maxMessagesPerConnection: doc.max_messages_per_connection,
    maxConnectionAgeMs: durationMs(doc.max_connection_age),
    connectionIdleMs: durationMs(doc.connection_idle),
    timeouts: timeoutsConfig(doc.timeouts),
  };
}

function timeoutsConfig(doc: z.output<typeof timeouts>): TransportTimeouts {
  return {
    connectMs: durationMs(doc.connect),
    greetingMs: durationMs(doc.greeting),
    helloMs: durationMs(doc.hello),
    mailMs: durationMs(doc.mail),
    rcptMs: durationMs(doc.rcpt),
    dataMs: durationMs(doc.data),
    bodyMs: durationMs(doc.body),
    dotMs: durationMs(doc.dot),
    rsetMs: durationMs(doc.rset),
    quitMs: durationMs(doc.quit),
  };
}

function hostOf(value: string): HostPort | null {
  return parseHostPort(value, { defaultPort: SMTP_PORT });
}
