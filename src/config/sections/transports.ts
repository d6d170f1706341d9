import { z } from "zod";
import { RELAY_TYPES } from "../../relay/schemas.ts";
import {
  hostname,
  type HostPort,
  listOf,
  oneOf,
  parseHostPort,
  port,
  table,
  text,
} from "../fields.ts";
import { type AuthConfig, authConfig, authSchema } from "./transport_auth.ts";
import {
  relayTables,
  type RelayTransportConfig,
  relayTransportConfig,
  type RelayTransportDoc,
} from "./transport_relay.ts";
import { type SmtpConfig, smtpConfig, smtpKeys } from "./transport_smtp.ts";
import {
  mxTlsKeys,
  type TlsConfig,
  tlsConfig,
  tlsImplicit,
  tlsKeys,
  tlsLevel,
  tlsLevelOrImplicit,
  tlsOverrides,
  tlsRule,
  type TlsRuleConfig,
} from "./transport_tls.ts";

export type { SmtpConfig, TransportTimeouts } from "./transport_smtp.ts";

/** A way out of the relay. */
export type TransportConfig =
  | MxTransportConfig
  | SmarthostTransportConfig
  | LmtpTransportConfig
  | RelayTransportConfig;

/** Delivery to the mail servers of the recipient's domain (RFC 5321 5.1). */
export interface MxTransportConfig extends SmtpConfig {
  readonly type: "mx";
  readonly port: number;
  readonly tls: TlsConfig;
  /** Other TLS rules for some recipient domains. */
  readonly tlsOverrides: readonly { readonly domain: string; readonly rule: TlsRuleConfig }[];
  /** Whether servers are held to the TLSA records that they publish. */
  readonly dane: boolean;
  /** Whether the MTA-STS policies of recipient domains are followed. */
  readonly mtaSts: boolean;
}

/** Delivery through given servers. */
export interface SmarthostTransportConfig extends SmtpConfig {
  readonly type: "smarthost";
  readonly hosts: readonly HostPort[];
  /** The domain whose SRV records name the servers, when `hosts` is empty. */
  readonly srv: string | null;
  /** `in_order`: the later ones stand in for the first; `shuffled`: they share the work. */
  readonly selection: "in_order" | "shuffled";
  readonly tls: TlsConfig;
  /** Null when the servers take mail without. */
  readonly auth: AuthConfig | null;
}

/** Delivery to servers of mailboxes (RFC 2033). */
export interface LmtpTransportConfig extends SmtpConfig {
  readonly type: "lmtp";
  /** At least one; the later ones stand in for the first. */
  readonly servers: readonly (HostPort | { readonly path: string })[];
  readonly tls: TlsConfig;
  readonly auth: AuthConfig | null;
}

const SMTP_PORT = 25;
const LMTP_PORT = 24;
/** RFC 8314 section 3.3: submission inside TLS. */
const SUBMISSIONS_PORT = 465;

const mx = table({
  type: z.literal("mx"),
  port: port().default(SMTP_PORT).describe("Port of the next hops."),
  tls: tlsLevel,
  ...mxTlsKeys,
  tls_overrides: tlsOverrides,
  ...tlsKeys,
  ...smtpKeys,
});

const smarthost = table({
  type: z.literal("smarthost"),
  hosts: listOf(
    text({
      expected: `a host with or without port, such as "smtp.example.net:25"`,
      isValid: (value) => hostOf(value, SMTP_PORT) !== null,
    }),
  ).default([]).describe("Servers. Default port: 25, or 465 with implicit TLS."),
  srv: hostname().optional()
    .describe("Domain whose SRV records name the servers (RFC 6186), instead of hosts."),
  selection: oneOf(["in_order", "shuffled"]).default("in_order")
    .describe("Use later hosts only when earlier ones fail, or share the load among all."),
  tls: tlsLevelOrImplicit,
  tls_implicit: tlsImplicit,
  auth: authSchema,
  ...tlsKeys,
  ...smtpKeys,
});

const lmtp = table({
  type: z.literal("lmtp"),
  servers: listOf(
    text({
      expected: `a host with or without port, such as "mail.example.net:24", or ` +
        `"unix:/run/dovecot/lmtp"`,
      isValid: (value) => serverOf(value) !== null,
    }),
    { atLeastOne: "server" },
  ).describe("LMTP servers; the default port is 24. unix: with a path names a socket."),
  tls: tlsLevelOrImplicit,
  tls_implicit: tlsImplicit,
  auth: authSchema,
  ...tlsKeys,
  ...smtpKeys,
});

const TYPES = ["mx", "smarthost", "lmtp", ...RELAY_TYPES];

/** The `[transports.NAME]` tables; without any, one of type mx. */
export const transportsSchema = z.record(
  z.string(),
  z.discriminatedUnion("type", [mx, smarthost, lmtp, ...relayTables], {
    error: `one of ${TYPES.map((type) => JSON.stringify(type)).join(", ")}`,
  }),
  { error: "a table of transports" },
).prefault({ mx: { type: "mx" } }).describe("Transports, by name.");

type TransportDoc =
  | z.output<typeof mx>
  | z.output<typeof smarthost>
  | z.output<typeof lmtp>
  | RelayTransportDoc;

export function transportConfig(doc: TransportDoc): TransportConfig {
  switch (doc.type) {
    case "mx":
      return mxConfig(doc);
    case "smarthost":
      return smarthostConfig(doc);
    case "lmtp":
      return lmtpConfig(doc);
    default:
      return relayTransportConfig(doc);
  }
}

function mxConfig(doc: z.output<typeof mx>): MxTransportConfig {
  return {
    type: "mx",
    port: doc.port,
    tls: tlsConfig(doc),
    tlsOverrides: doc.tls_overrides.map((override) => ({
      domain: override.domain.toLowerCase(),
      rule: tlsRule(override),
    })),
    dane: doc.dane,
    mtaSts: doc.mta_sts,
    ...smtpConfig(doc),
  };
}

function smarthostConfig(doc: z.output<typeof smarthost>): SmarthostTransportConfig {
  const given = givenServerConfig(doc);
  const defaultPort = given.tls.implicit ? SUBMISSIONS_PORT : SMTP_PORT;
  return {
    type: "smarthost",
    hosts: doc.hosts.map((host) => hostOf(host, defaultPort)).filter((host) => host !== null),
    srv: doc.srv?.toLowerCase() ?? null,
    selection: doc.selection,
    ...given,
  };
}

function lmtpConfig(doc: z.output<typeof lmtp>): LmtpTransportConfig {
  const servers = doc.servers.map(serverOf).filter((server) => server !== null);
  return { type: "lmtp", servers, ...givenServerConfig(doc) };
}

/** What transports have in common whose servers are given. */
function givenServerConfig(
  doc: z.output<typeof smarthost> | z.output<typeof lmtp>,
): SmtpConfig & { tls: TlsConfig; auth: AuthConfig | null } {
  // A login is worth more than a message: it is not given to whoever answers.
  const word = doc.tls ?? (doc.auth === undefined ? "opportunistic" : "verified");
  return {
    tls: tlsConfig({ ...doc, tls: word }),
    auth: doc.auth === undefined ? null : authConfig(doc.auth),
    ...smtpConfig(doc),
  };
}

function serverOf(value: string): HostPort | { readonly path: string } | null {
  if (!value.startsWith("unix:")) return hostOf(value, LMTP_PORT);
  const path = value.slice("unix:".length);
  return path.startsWith("/") ? { path } : null;
}

function hostOf(value: string, defaultPort: number): HostPort | null {
  return parseHostPort(value, { defaultPort });
}
