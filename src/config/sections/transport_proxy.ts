import { z } from "zod";
import { parseIp } from "../../base/ip.ts";
import { flag, type HostPort, ipAddress, parseHostPort, text } from "../fields.ts";
import { secret } from "../secrets.ts";

/** A proxy that connects on behalf of a transport. */
export interface ProxyConfig extends HostPort {
  readonly kind: "socks5" | "http";
  readonly credentials: { readonly username: string; readonly password: string } | null;
}

/** From where the connections of a transport come. */
export interface OriginConfig {
  /** Addresses of this machine, at most one of each kind; null lets the system choose. */
  readonly sourceAddresses: readonly string[] | null;
  /** Null for direct connections. */
  readonly proxy: ProxyConfig | null;
}

/** IANA's port of SOCKS, and the one that HTTP proxies usually have. */
const DEFAULT_PORTS = { socks5: 1080, http: 3128 } as const;

const SOURCES = `an IP address such as "192.0.2.1", or a list of one IPv4 and one IPv6 address`;

const source = z.union([z.string(), z.array(z.string()).min(1)], { error: SOURCES })
  .refine((value) => areSources([value].flat()), { error: SOURCES });

function areSources(addresses: readonly string[]): boolean {
  const kinds = addresses.map((address) => parseIp(address)?.length ?? 0);
  return !kinds.includes(0) && new Set(kinds).size === kinds.length;
}

const proxyKey = {
  proxy: secret(text({
    expected: `a proxy such as "socks5://user:secret@proxy.example.net:1080" or ` +
      `"http://proxy.example.net:3128"`,
    isValid: (value) => parseProxy(value) !== null,
  })).optional().describe("SOCKS5 or HTTP proxy (CONNECT) for connections."),
};

/** The keys of transports that speak SMTP; the names of APIs are always looked up by the proxy. */
export const smtpOriginKeys = {
  source_address: source.optional().describe(
    "Local IP address of connections, or a list of one IPv4 and one IPv6 address.",
  ),
  ...proxyKey,
  proxy_resolves: flag().default(false).describe(
    "Let the proxy resolve server names.",
  ),
};

/** The keys of transports to an API. */
export const apiOriginKeys = {
  source_address: ipAddress().optional().describe("Local IP address of connections."),
  ...proxyKey,
};

export function originConfig(
  doc: {
    readonly source_address?: string | readonly string[] | undefined;
    readonly proxy?: string | undefined;
  },
): OriginConfig {
  const { source_address: sources } = doc;
  return {
    sourceAddresses: sources === undefined ? null : [sources].flat(),
    proxy: doc.proxy === undefined ? null : parseProxy(doc.proxy),
  };
}

function decode(
  { username, password }: { username: string; password: string },
): ProxyConfig["credentials"] {
  try {
    return {
      username: decodeURIComponent(username),
      password: decodeURIComponent(password),
    };
  } catch {
    return null; // a percent sign that stands for nothing
  }
}

/** Reads `socks5://user:secret@host:port`; null when `value` is no proxy. */
function parseProxy(value: string): ProxyConfig | null {
  const parts = /^(socks5|http):\/\/(?:([^:@\/]*):([^@\/]*)@)?([^@\/]+)\/?$/i.exec(value);
  if (parts === null) return null;
  const [, scheme = "", username, password = "", place = ""] = parts;
  const kind = scheme.toLowerCase() === "http" ? "http" : "socks5";
  const hostPort = parseHostPort(place, { defaultPort: DEFAULT_PORTS[kind] });
  if (hostPort === null) return null;
  if (username === undefined) return { kind, ...hostPort, credentials: null };
  const credentials = decode({ username, password });
  return credentials === null ? null : { kind, ...hostPort, credentials };
}
