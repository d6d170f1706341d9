import { z } from "zod";
import { count, duration, flag, hostname, listOf, oneOf, table, text } from "../fields.ts";
import { durationMs } from "../units.ts";
import { type OriginConfig, originConfig, smtpOriginKeys } from "./transport_proxy.ts";

/** What all transports that speak SMTP have in common. */
export interface SmtpConfig extends OriginConfig {
  /** The argument of EHLO; null for the relay's host name. */
  readonly helo: string | null;
  /** Whether the proxy, if there is one, looks up the addresses of servers. */
  readonly proxyResolves: boolean;
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
  /** Whether 8-bit mail is converted for servers that do not offer 8BITMIME. */
  readonly converts: boolean;
  /** EHLO keywords that are passed over, in upper case. */
  readonly ignoredExtensions: readonly string[];
  readonly timeouts: TransportTimeouts;
}

/** Time limits of each step, in milliseconds (RFC 5321 4.5.3.2). */
export interface TransportTimeouts {
  readonly connectMs: number;
  readonly greetingMs: number;
  readonly helloMs: number;
  /** For the command and the handshake, each. */
  readonly starttlsMs: number;
  readonly authMs: number;
  readonly mailMs: number;
  readonly rcptMs: number;
  readonly dataMs: number;
  /** For each block of the message, not for all of it. */
  readonly bodyMs: number;
  readonly dotMs: number;
  readonly rsetMs: number;
  readonly quitMs: number;
}

const timeLimit = (): ReturnType<typeof duration> => duration({ minMs: 1 });

const timeouts = table({
  connect: timeLimit().default("30s").describe("TCP connection to one address."),
  greeting: timeLimit().default("5m").describe("The 220 greeting (RFC 5321 4.5.3.2.1)."),
  hello: timeLimit().default("5m").describe("The reply to EHLO or HELO."),
  starttls: timeLimit().default("1m").describe("The reply to STARTTLS, then the TLS handshake."),
  auth: timeLimit().default("1m").describe("Each reply of the login."),
  mail: timeLimit().default("5m").describe("The reply to MAIL (4.5.3.2.2)."),
  rcpt: timeLimit().default("5m").describe("The reply to RCPT (4.5.3.2.3)."),
  data: timeLimit().default("2m").describe("The reply to DATA (4.5.3.2.4)."),
  body: timeLimit().default("3m").describe("Each block of the message (4.5.3.2.5)."),
  dot: timeLimit().default("10m").describe("The reply to the final dot (4.5.3.2.6)."),
  rset: timeLimit().default("20s").describe("The reply to RSET."),
  quit: timeLimit().default("2s").describe("The reply to QUIT."),
}).prefault({}).describe("Time limits of each step.");

/** The keys of all transports that speak SMTP. */
export const smtpKeys = {
  helo: hostname().optional().describe("Argument of EHLO. Default: the relay's hostname."),
  ...smtpOriginKeys,
  address_order: oneOf(["ipv4_first", "ipv6_first", "ipv4_only", "ipv6_only"])
    .default("ipv4_first").describe("Address families to use, and which first."),
  max_addresses: count().default(5).describe("Addresses that one attempt connects to."),
  max_concurrency: count().default(20).describe("Concurrent attempts to one destination."),
  max_recipients: count().default(100).describe("Recipients in one transaction."),
  max_messages_per_connection: count().default(100)
    .describe("Messages after which a connection is replaced."),
  max_connection_age: timeLimit().default("5m").describe("Age at which a connection is replaced."),
  connection_idle: duration().default("30s")
    .describe("How long an idle connection is kept; 0 closes it at once."),
  convert: flag().default(true)
    .describe("Convert 8-bit mail for servers without 8BITMIME. If off, it is sent unchanged."),
  ignored_extensions: listOf(text({
    expected: `an EHLO keyword such as "CHUNKING"`,
    isValid: (value) => /^[a-z0-9][a-z0-9-]*$/i.test(value),
  })).default([]).describe(
    "EHLO keywords to ignore, for servers that announce more than they support.",
  ),
  timeouts,
};

const smtpTable = table(smtpKeys);

/** The values of `smtpKeys`. */
export function smtpConfig(doc: z.output<typeof smtpTable>): SmtpConfig {
  return {
    helo: doc.helo ?? null,
    ...originConfig(doc),
    proxyResolves: doc.proxy_resolves,
    addressOrder: doc.address_order,
    maxAddresses: doc.max_addresses,
    maxConcurrency: doc.max_concurrency,
    maxRecipients: doc.max_recipients,
    maxMessagesPerConnection: doc.max_messages_per_connection,
    maxConnectionAgeMs: durationMs(doc.max_connection_age),
    connectionIdleMs: durationMs(doc.connection_idle),
    converts: doc.convert,
    ignoredExtensions: doc.ignored_extensions.map((keyword) => keyword.toUpperCase()),
    timeouts: timeoutsConfig(doc.timeouts),
  };
}

function timeoutsConfig(doc: z.output<typeof timeouts>): TransportTimeouts {
  return {
    connectMs: durationMs(doc.connect),
    greetingMs: durationMs(doc.greeting),
    helloMs: durationMs(doc.hello),
    starttlsMs: durationMs(doc.starttls),
    authMs: durationMs(doc.auth),
    mailMs: durationMs(doc.mail),
    rcptMs: durationMs(doc.rcpt),
    dataMs: durationMs(doc.data),
    bodyMs: durationMs(doc.body),
    dotMs: durationMs(doc.dot),
    rsetMs: durationMs(doc.rset),
    quitMs: durationMs(doc.quit),
  };
}
