import { parseIp } from "../base/ip.ts";
import type { Endpoint } from "./conn.ts";
import { parseEndpoint } from "./endpoint.ts";
import { normalName } from "./dns_message.ts";

/** What `/etc/resolv.conf` says, as far as mail cares: there is no search list for mail. */
export interface ResolverConfig {
  readonly servers: readonly Endpoint[];
  /** For one try at one server. */
  readonly timeoutMs: number;
  /** Rounds over all servers. */
  readonly attempts: number;
  /** The administrator trusts the servers, and the way to them, about DNSSEC. */
  readonly trustAd: boolean;
}

const DNS_PORT = 53;
const FALLBACK: ResolverConfig = {
  servers: [{ address: "127.0.0.1", port: DNS_PORT }], // resolv.conf(5): the local machine
  timeoutMs: 5000,
  attempts: 2,
  trustAd: false,
};

/** Reads the text of a `resolv.conf`; what it does not know it leaves out. */
export function parseResolvConf(text: string): ResolverConfig {
  const servers: Endpoint[] = [];
  const options = new Map<string, number>();
  for (const line of text.split("\n")) {
    const [keyword, ...values] = line.trim().split(/\s+/);
    if (keyword === "nameserver") {
      const server = parseEndpoint(values[0] ?? "", { defaultPort: DNS_PORT });
      if (server !== null) servers.push(server);
    } else if (keyword === "options") {
      for (const value of values) setOption(options, value);
    }
  }
  return {
    servers: servers.length > 0 ? servers : FALLBACK.servers,
    timeoutMs: (options.get("timeout") ?? 0) * 1000 || FALLBACK.timeoutMs,
    attempts: options.get("attempts") || FALLBACK.attempts,
    trustAd: options.has("trust-ad"),
  };
}

function setOption(options: Map<string, number>, option: string): void {
  const [name = "", value] = option.split(":");
  options.set(name, Number(value ?? 1) || 0);
}

/** Reads the text of a `hosts` file: addresses by host name in lower case. */
export function parseHosts(text: string): Map<string, string[]> {
  const hosts = new Map<string, string[]>();
  for (const line of text.split("\n")) {
    const [address = "", ...names] = line.replace(/#.*/, "").trim().split(/\s+/);
    if (parseIp(address) === null) continue;
    for (const name of names) {
      const key = normalName(name);
      hosts.set(key, [...hosts.get(key) ?? [], address]);
    }
  }
  return hosts;
}

/** The system's resolver settings; resolv.conf's defaults when the file cannot be read. */
export function systemResolverConfig(): ResolverConfig {
  const text = readIfAllowed("/etc/resolv.conf");
  return text === null ? FALLBACK : parseResolvConf(text);
}

/** The system's hosts file; empty when it cannot be read. */
export function systemHosts(): ReadonlyMap<string, readonly string[]> {
  return parseHosts(readIfAllowed("/etc/hosts") ?? "");
}

function readIfAllowed(path: string): string | null {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return null; // not there, not readable or not permitted: the defaults do
  }
}
