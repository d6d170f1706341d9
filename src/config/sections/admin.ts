import type { z } from "zod";
import {
  count,
  duration,
  flag,
  ipAddress,
  listOf,
  oneOf,
  table,
  text,
  wholeNumber,
} from "../fields.ts";
import { secret } from "../secrets.ts";
import { durationMs } from "../units.ts";
import { type SenderCheck, senderCheck } from "./users.ts";

/** Where the admin API and the dashboard are, and who gets in. */
export interface AdminConfig {
  readonly enabled: boolean;
  /** IP address without brackets. */
  readonly address: string;
  /** 0 for a port that the system chooses. */
  readonly port: number;
  /** Path of a Unix socket to listen on in the place of address and port; null for none. */
  readonly socket: string | null;
  readonly openOnLoopback: boolean;
  /** Where browsers reach it, without a slash at the end; null when by its address. */
  readonly publicOrigin: string | null;
  readonly sessionLifetimeMs: number;
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
  readonly tokens: readonly AdminToken[];
}

/** An API key that stands in the configuration. */
export interface AdminToken {
  readonly name: string;
  readonly role: "sender" | "viewer" | "operator" | "admin";
  /** Whether it may hand in mail. */
  readonly send: boolean;
  /** Whole mailboxes it may send as, in which `*` stands for any text; null for all. */
  readonly senders: readonly string[] | null;
  /** Where they hold. */
  readonly senderCheck: SenderCheck;
  readonly token: string;
}

const LEAST_TOKEN_CHARS = 20;

function mailboxPattern(): z.ZodString {
  return text({
    expected: `a mail address, in which "*" stands for any text`,
    isValid: (value) => /^[^\s<>]*$/.test(value),
  });
}

const token = table({
  name: text({ expected: "a name", isValid: (value) => value !== "" })
    .describe("Name of the token in timelines and logs."),
  role: oneOf(["sender", "viewer", "operator", "admin"]).default("viewer").describe(
    "A sender only submits mail. A viewer only reads. An operator acts on mail. An admin " +
      "does everything.",
  ),
  send: flag().optional()
    .describe("Allow the token to submit mail. Default: true for every role except viewer."),
  senders: listOf(mailboxPattern()).optional()
    .describe("Mailboxes it may send as; * matches any text. Default: all."),
  sender_check: senderCheck(),
  token: secret(text({
    expected: `a token of at least ${LEAST_TOKEN_CHARS} characters without spaces`,
    isValid: (value) => value.length >= LEAST_TOKEN_CHARS && /^[\x21-\x7e]+$/.test(value),
  })).describe("The token, sent as Authorization: Bearer. Use a reference."),
});

/** The `[admin]` table. */
export const adminSchema = table({
  enabled: flag().default(true).describe("Run the admin API and the dashboard."),
  address: ipAddress().default("127.0.0.1")
    .describe("IP address to listen on. Any address except loopback requires a user or a key."),
  port: wholeNumber({ min: 0, max: 65535 }).default(8025)
    .describe("TCP port; 0 lets the system choose."),
  socket: text({ expected: "the path of a socket", isValid: (value) => value !== "" }).optional()
    .describe(
      "Path of a Unix socket that replaces address and port. Every user who can open it is an " +
        "admin.",
    ),
  open_on_loopback: flag().default(false).describe(
    "Treat every client on this machine as an admin without credentials. Applies only while " +
      "address is a loopback address. Do not use it on a shared machine or behind a reverse " +
      "proxy.",
  ),
  public_url: text({ expected: `an address such as "https://mail.example.net"`, isValid: isOrigin })
    .optional().describe("URL that browsers use, if it differs from the address."),
  session_lifetime: duration({ minMs: 60_000 }).default("12h")
    .describe("Lifetime of a dashboard session."),
  max_connections: count().default(200).describe(
    "Concurrent connections; further ones are closed.",
  ),
  max_connections_per_address: count().default(100)
    .describe("Concurrent connections from one client address, which may be a reverse proxy."),
  tokens: listOf(token).default([]).describe(
    "API keys in addition to those made with the dashboard or posthouse key add.",
  ),
}).prefault({}).describe("The admin API and the dashboard.");

export function adminConfig(doc: z.output<typeof adminSchema>): AdminConfig {
  return {
    enabled: doc.enabled,
    address: doc.address,
    port: doc.port,
    socket: doc.socket ?? null,
    openOnLoopback: doc.open_on_loopback,
    publicOrigin: doc.public_url === undefined ? null : new URL(doc.public_url).origin,
    sessionLifetimeMs: durationMs(doc.session_lifetime),
    maxConnections: doc.max_connections,
    maxConnectionsPerAddress: doc.max_connections_per_address,
    tokens: doc.tokens.map(({ name, role, send, senders, sender_check, token }) => ({
      name,
      role,
      send: send ?? role !== "viewer",
      senders: senders ?? null,
      senderCheck: sender_check,
      token,
    })),
  };
}

function isOrigin(value: string): boolean {
  const url = URL.parse(value);
  return url !== null && /^https?:$/.test(url.protocol) && url.pathname === "/" &&
    url.search === "" && url.username === "";
}
