import { type Clock, systemClock } from "../../src/base/clock.ts";
import { Deadlines } from "../../src/base/deadlines.ts";
import { seededRandom } from "../../src/base/random.ts";
import type { Dial, MailResolver, SmtpServices } from "../../src/delivery/smtp/options.ts";
import type { Conn } from "../../src/net/conn.ts";
import { dial } from "../../src/net/dial.ts";
import type {
  DnsResult,
  HostAddress,
  MxRecord,
  SrvRecord,
  TlsaRecord,
} from "../../src/net/resolver.ts";

/** A DNS of a few names. A name that is not in it does not exist; `null` stands for SERVFAIL. */
export interface Names {
  /** `preference exchange` of each exchanger; an empty list for a name without any. */
  readonly mx?: Readonly<Record<string, readonly string[] | null>>;
  readonly addresses?: Readonly<Record<string, readonly string[] | null>>;
  /** What names are aliases of. */
  readonly aliases?: Readonly<Record<string, string>>;
  readonly tlsa?: Readonly<Record<string, readonly TlsaRecord[] | null>>;
  readonly txt?: Readonly<Record<string, readonly string[] | null>>;
  readonly srv?: Readonly<Record<string, readonly SrvRecord[] | null>>;
  /** Names whose records DNSSEC does not vouch for; absent means that it vouches for none. */
  readonly insecure?: readonly string[];
}

/** What `smtpServices` makes for a test. */
export interface TestServices extends SmtpServices, Disposable {
  /** The names that were looked up, as `MX dest.example`. */
  readonly lookups: readonly string[];
}

/** Services for a transport under test: the machine's network and a DNS of its own. */
export function smtpServices(
  { clock = systemClock, names = {}, dialer = dial, seed = 1 }: {
    clock?: Clock;
    names?: Names;
    dialer?: Dial;
    seed?: number;
  } = {},
): TestServices {
  const deadlines = new Deadlines({ clock });
  const lookups: string[] = [];
  return {
    clock,
    random: seededRandom(seed),
    deadlines,
    dial: dialer,
    resolver: resolverOf(names, lookups),
    onError: (error) => reportError(error),
    lookups,
    [Symbol.dispose]: () => deadlines[Symbol.dispose](),
  };
}

/** Where names lead on this machine: sends what is dialed for `port` 25 to a port by address. */
export function dialByAddress(ports: Readonly<Record<string, number>>): Dial & {
  readonly dialed: readonly string[];
} {
  const dialed: string[] = [];
  const dialer: Dial = (target, options) => {
    if (!("address" in target)) throw new TypeError("no sockets by path here");
    dialed.push(target.address);
    const port = ports[target.address];
    return port === undefined
      ? Promise.resolve({ kind: "refused", reason: "nobody there" })
      : dial({ address: "127.0.0.1", port }, options);
  };
  return Object.assign(dialer, { dialed });
}

/** Connects, and puts other methods in front of those of the connection. */
export function dialWith(
  change: (conn: Conn) => Partial<Pick<Conn, "read" | "write" | "close">>,
): Dial {
  return async (target, options) => {
    const result = await dial(target, options);
    if (result.kind !== "connected") return result;
    const { conn } = result;
    const changed: Conn = {
      local: conn.local,
      remote: conn.remote,
      tls: conn.tls,
      read: (into) => conn.read(into),
      write: (octets) => conn.write(octets),
      close: () => conn.close(),
      upgradeToTls: (upgrade) => conn.upgradeToTls(upgrade),
      ...change(conn),
    };
    return { kind: "connected", conn: changed };
  };
}

function resolverOf(names: Names, lookups: string[]): MailResolver {
  const { mx = {}, addresses = {}, aliases = {}, tlsa = {}, txt = {}, srv = {} } = names;
  const { insecure } = names;
  const answer = <T>(
    records: readonly T[] | null | undefined,
    canonicalName: string,
  ): Promise<DnsResult<T>> => {
    if (records === null) return Promise.resolve({ kind: "temporary", reason: "server_failure" });
    const isAuthentic = insecure !== undefined && !insecure.includes(canonicalName);
    const facts = { ttlMs: 1000, authentic: isAuthentic };
    if (records === undefined) return Promise.resolve({ kind: "nonexistent", ...facts });
    if (records.length === 0) return Promise.resolve({ kind: "none", ...facts });
    return Promise.resolve({ kind: "found", records, canonicalName, ...facts });
  };
  const lookUp = <T>(type: string, name: string, records: readonly T[] | null | undefined) => {
    lookups.push(`${type} ${name}`);
    return answer(records, name);
  };
  return {
    mx(domain) {
      lookups.push(`MX ${domain}`);
      const known = domain in addresses ? [] : undefined;
      return answer(mx[domain] === undefined ? known : mx[domain]?.map(toMx) ?? null, domain);
    },
    addresses(host) {
      lookups.push(`A ${host}`);
      const known = host in mx ? [] : undefined;
      const end = aliases[host] ?? host;
      const found = addresses[end];
      return answer(found === undefined ? known : found?.map(toAddress) ?? null, end);
    },
    cname(name) {
      const alias = aliases[name];
      return lookUp("CNAME", name, alias === undefined ? [] : [alias]);
    },
    tlsa: (name) => lookUp("TLSA", name, tlsa[name]),
    txt: (name) => lookUp("TXT", name, txt[name]),
    srv: (name) => lookUp("SRV", name, srv[name]),
  };
}

function toMx(text: string): MxRecord {
  const [preference = "", exchange = ""] = text.split(" ");
  return { preference: Number(preference), exchange };
}

function toAddress(address: string): HostAddress {
  return { address, family: address.includes(":") ? 6 : 4 };
}
