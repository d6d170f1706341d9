import { domainToASCII } from "node:url";
import { type Clock, systemClock } from "../base/clock.ts";
import { parseIp } from "../base/ip.ts";
import { type Random, systemRandom } from "../base/random.ts";
import type { Endpoint } from "./conn.ts";
import { DnsClient, type DnsResult } from "./dns_client.ts";
import {
  type MxRecord,
  normalName,
  type RecordData,
  type RecordType,
  type SrvRecord,
  type TlsaRecord,
} from "./dns_message.ts";
import { parseEndpoint } from "./endpoint.ts";
import { systemHosts, systemResolverConfig } from "./system_dns.ts";
import { TtlCache } from "./ttl_cache.ts";

export type { DnsResult, DnsTrouble } from "./dns_client.ts";
export type { MxRecord, SrvRecord, TlsaRecord } from "./dns_message.ts";

/** An address of a host. */
export interface HostAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

/** Asks the DNS what mail needs to know. Never throws for what the network does. */
export interface Resolver extends Disposable {
  /** Sorted by preference; equal ones in the order of the answer. */
  mx(domain: string): Promise<DnsResult<MxRecord>>;
  /** From the hosts file or A and AAAA records, IPv6 first; an IP address is its own answer. */
  addresses(host: string): Promise<DnsResult<HostAddress>>;
  /** IPv4 addresses in the DNS alone, without the hosts file. */
  a(name: string): Promise<DnsResult<string>>;
  /** IPv6 addresses likewise. */
  aaaa(name: string): Promise<DnsResult<string>>;
  txt(name: string): Promise<DnsResult<string>>;
  /** `name` is the whole owner name, such as `_25._tcp.mx.example.org`. */
  tlsa(name: string): Promise<DnsResult<TlsaRecord>>;
  /** `name` is the whole owner name, such as `_submission._tcp.example.org`. */
  srv(name: string): Promise<DnsResult<SrvRecord>>;
  /** The names of an IP address. */
  ptr(address: string): Promise<DnsResult<string>>;
  cname(name: string): Promise<DnsResult<string>>;
  /** Forgets what is cached. */
  clear(): void;
}

/** How to resolve; what is not given comes from the system. */
export interface ResolverOptions {
  /** Each `address` or `address:port`, IPv6 as `[address]:port`; tried in order. */
  readonly servers?: readonly string[];
  /** For one try at one server. */
  readonly timeoutMs?: number;
  /** Rounds over all servers. */
  readonly attempts?: number;
  /**
   * Whether the servers, and the way to them, are trusted about DNSSEC (RFC 7672 section 2.1.1).
   * By default only servers on loopback are, and others where resolv.conf says `trust-ad`.
   */
  readonly trustAd?: boolean;
  readonly maxCacheEntries?: number;
  /** Addresses by host name in lower case, asked before the DNS. */
  readonly hosts?: ReadonlyMap<string, readonly string[]>;
  readonly clock?: Clock;
  readonly random?: Random;
}

/**
 * Makes a resolver with a cache of its own.
 *
 * @throws Error when a server is not an IP address.
 */
export function createResolver(options: ResolverOptions = {}): Resolver {
  return new CachingResolver(options);
}

const LONGEST_TTL_MS = 24 * 3600_000;
const LONGEST_NEGATIVE_TTL_MS = 900_000;
const LOOPBACK_ADDRESSES = ["127.0.0.1", "::1"];

class CachingResolver implements Resolver {
  readonly #client: DnsClient;
  readonly #cache: TtlCache<DnsResult<unknown>>;
  readonly #hosts: ReadonlyMap<string, readonly string[]>;
  readonly #pending = new Map<string, Promise<DnsResult<unknown>>>();

  constructor(options: ResolverOptions) {
    const system = systemResolverConfig();
    const servers = options.servers?.map(serverOf) ?? system.servers;
    const clock = options.clock ?? systemClock;
    this.#client = new DnsClient({
      servers,
      timeoutMs: options.timeoutMs ?? system.timeoutMs,
      attempts: options.attempts ?? system.attempts,
      trustAd: options.trustAd ?? (system.trustAd && options.servers === undefined ||
        servers.every(isLoopback)),
      clock,
      random: options.random ?? systemRandom,
    });
    this.#cache = new TtlCache({ clock, maxEntries: options.maxCacheEntries ?? 10_000 });
    this.#hosts = options.hosts ?? systemHosts();
  }

  async mx(domain: string): Promise<DnsResult<MxRecord>> {
    const result = await this.#lookUp(domain, "MX");
    if (result.kind !== "found") return result;
    const records = result.records.toSorted((a, b) => a.preference - b.preference);
    return { ...result, records };
  }

  async addresses(host: string): Promise<DnsResult<HostAddress>> {
    const known = this.#knownAddresses(host);
    if (known !== null) return known;
    const [ipv6, ipv4] = await Promise.all([
      this.#lookUp(host, "AAAA"),
      this.#lookUp(host, "A"),
    ]);
    return mergeFamilies(withFamily(ipv6, 6), withFamily(ipv4, 4));
  }

  a(name: string): Promise<DnsResult<string>> {
    return this.#lookUp(name, "A");
  }

  aaaa(name: string): Promise<DnsResult<string>> {
    return this.#lookUp(name, "AAAA");
  }

  txt(name: string): Promise<DnsResult<string>> {
    return this.#lookUp(name, "TXT");
  }

  tlsa(name: string): Promise<DnsResult<TlsaRecord>> {
    return this.#lookUp(name, "TLSA");
  }

  srv(name: string): Promise<DnsResult<SrvRecord>> {
    return this.#lookUp(name, "SRV");
  }

  ptr(address: string): Promise<DnsResult<string>> {
    return this.#lookUp(reverseName(address), "PTR");
  }

  cname(name: string): Promise<DnsResult<string>> {
    return this.#lookUp(name, "CNAME");
  }

  clear(): void {
    this.#cache.clear();
  }

  [Symbol.dispose](): void {
    this.#client.close();
    this.#cache.clear();
  }

  #knownAddresses(host: string): DnsResult<HostAddress> | null {
    const name = normalName(host);
    const known = parseIp(name) !== null ? [name] : this.#hosts.get(name) ?? localhost(name);
    if (known === null) return null;
    return {
      kind: "found",
      records: known.map((address) => ({ address, family: address.includes(":") ? 6 : 4 })),
      ttlMs: LONGEST_TTL_MS,
      authentic: false,
      canonicalName: name,
    };
  }

  /** Answers from the cache, from the same question in flight, or from the network. */
  #lookUp<Type extends RecordType>(
    name: string,
    type: Type,
  ): Promise<DnsResult<RecordData[Type]>> {
    const asked = queryName(name);
    if (asked === null) return Promise.resolve(IMPOSSIBLE_NAME);
    const key = `${type} ${asked}`;
    const result = this.#cached(key) ?? this.#pending.get(key) ?? this.#ask(key, asked, type);
    return result as Promise<DnsResult<RecordData[Type]>>; // the key carries the type
  }

  #cached(key: string): Promise<DnsResult<unknown>> | null {
    const hit = this.#cache.get(key);
    if (hit === null || hit.value.kind === "temporary") return null;
    return Promise.resolve({ ...hit.value, ttlMs: hit.ttlMs });
  }

  #ask(key: string, name: string, type: RecordType): Promise<DnsResult<unknown>> {
    const asking = this.#client.ask({ name, type }).then((answer) => {
      this.#pending.delete(key);
      const result = limitTtl(answer);
      if (result.kind !== "temporary") this.#cache.set(key, result, result);
      return result;
    });
    this.#pending.set(key, asking);
    return asking;
  }
}

const IMPOSSIBLE_NAME = { kind: "nonexistent", ttlMs: 0, authentic: false } as const;

function serverOf(text: string): Endpoint {
  const server = parseEndpoint(text, { defaultPort: 53 });
  if (server === null) {
    throw new Error(`Cannot use the DNS server: it must be "address:port", got "${text}"`);
  }
  return server;
}

function isLoopback({ address }: Endpoint): boolean {
  return LOOPBACK_ADDRESSES.includes(address);
}

/** The name as it is asked, in A-labels; null when no such name can be (RFC 1035 2.3.4). */
function queryName(name: string): string | null {
  // deno-lint-ignore no-control-regex -- the range is ASCII
  const ascii = normalName(/^[\x00-\x7f]*$/.test(name) ? name : domainToASCII(name));
  if (ascii.length > 253) return null;
  return ascii.split(".").every((label) => label.length >= 1 && label.length <= 63) ? ascii : null;
}

/** RFC 6761 section 6.3: these names are never asked. */
function localhost(name: string): readonly string[] | null {
  return name === "localhost" || name.endsWith(".localhost") ? LOOPBACK_ADDRESSES : null;
}

/** RFC 1035 section 3.5 and RFC 3596 section 2.5; empty, a name that is never asked, for no address. */
function reverseName(address: string): string {
  const octets = parseIp(address);
  if (octets === null) return "";
  if (octets.length === 4) return [...octets].reverse().join(".") + ".in-addr.arpa";
  const nibbles = [...octets].flatMap((octet) => [octet >> 4, octet & 15]);
  return nibbles.reverse().map((nibble) => nibble.toString(16)).join(".") + ".ip6.arpa";
}

function limitTtl(result: DnsResult<unknown>): DnsResult<unknown> {
  if (result.kind === "temporary") return result;
  const longestMs = result.kind === "found" ? LONGEST_TTL_MS : LONGEST_NEGATIVE_TTL_MS;
  return { ...result, ttlMs: Math.min(result.ttlMs, longestMs) };
}

function withFamily(result: DnsResult<string>, family: 4 | 6): DnsResult<HostAddress> {
  if (result.kind !== "found") return result;
  return { ...result, records: result.records.map((address) => ({ address, family })) };
}

/** What is found in one family counts, whatever became of the other. */
function mergeFamilies(
  ipv6: DnsResult<HostAddress>,
  ipv4: DnsResult<HostAddress>,
): DnsResult<HostAddress> {
  if (ipv6.kind === "found" && ipv4.kind === "found") {
    return {
      ...ipv4,
      records: [...ipv6.records, ...ipv4.records],
      ttlMs: Math.min(ipv6.ttlMs, ipv4.ttlMs),
      authentic: ipv6.authentic && ipv4.authentic,
    };
  }
  if (ipv6.kind === "found") return ipv6;
  if (ipv4.kind === "found") return ipv4;
  if (ipv6.kind === "temporary") return ipv6;
  if (ipv4.kind === "temporary") return ipv4;
  return ipv6.kind === "none" ? ipv6 : ipv4;
}
