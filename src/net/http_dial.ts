import { lookup } from "node:dns/promises";
import { type Clock, systemClock } from "../base/clock.ts";
import { NoConnection } from "../base/http_request.ts";
import { parseIp } from "../base/ip.ts";
import type { Conn } from "./conn.ts";
import { errorCode, TlsError } from "./conn_error.ts";
import { dial, type DialOptions, type FailedDial } from "./dial.ts";
import type { Proxy } from "./proxy.ts";
import { dialThrough } from "./proxy_dial.ts";

/** From where requests come. */
export interface HttpOrigin {
  /** `address` may be a host name; the proxy looks up the names in URLs. */
  readonly proxy?: Omit<Proxy, "localAddress">;
  /** Address of this machine to connect from. */
  readonly localAddress?: string;
  /** Whether it may go to an address, once the name is looked up; to all where not given. */
  readonly allows?: (address: string) => boolean;
}

/** Where a request goes. */
export interface HttpTarget {
  /** Host name, or IP address without brackets. */
  readonly host: string;
  readonly port: number;
  /** Whether TLS comes first. */
  readonly secure: boolean;
}

const CONNECT_TIMEOUT_MS = 30_000;
/** One address that does not answer leaves time for the next. */
const ADDRESS_TIMEOUT_MS = 10_000;

/**
 * Connects to where a request goes, TLS included.
 *
 * @throws NoConnection
 */
export async function dialHttp(
  target: HttpTarget,
  { origin, signal, clock = systemClock }: {
    origin: HttpOrigin;
    signal: AbortSignal;
    clock?: Clock;
  },
): Promise<Conn> {
  const { host, port, secure } = target;
  const { proxy, localAddress } = origin;
  const source = localAddress === undefined ? {} : { localAddress };
  const first = proxy?.address ?? host;
  let failure: FailedDial = { kind: "unreachable", reason: "it has no address" };
  const addresses = await addressesOf(first);
  for (const [index, address] of addresses.entries()) {
    if (proxy === undefined && origin.allows?.(address) === false) {
      failure = { kind: "denied", reason: `${address} is not a public address` };
      continue;
    }
    const isLast = index === addresses.length - 1;
    const timeoutMs = isLast ? CONNECT_TIMEOUT_MS : ADDRESS_TIMEOUT_MS;
    const options: DialOptions = { timeoutMs, signal, clock };
    const dialed = proxy === undefined
      ? await dial({ address, port, ...source }, options)
      : await dialThrough({ ...proxy, address, ...source }, { ...options, target: { host, port } });
    if (dialed.kind === "connected") {
      return secure ? await secured(dialed.conn, { serverName: host, signal }) : dialed.conn;
    }
    failure = dialed;
    if (signal.aborted) break;
  }
  throw new NoConnection(failure.kind, { message: failure.reason });
}

/** As the system finds them, the hosts file and search domains included. */
async function addressesOf(host: string): Promise<string[]> {
  if (parseIp(host) !== null) return [host];
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotCapable) {
      throw new NoConnection("not_permitted", { message: cause.message, cause });
    }
    const code = errorCode(cause);
    const message = code === "ENOTFOUND" ? "no such name" : `cannot look up the name: ${code}`;
    throw new NoConnection("name", { message, cause });
  }
}

async function secured(
  conn: Conn,
  { serverName, signal }: { serverName: string; signal: AbortSignal },
): Promise<Conn> {
  const close = (): void => conn.close();
  signal.addEventListener("abort", close, { once: true });
  try {
    const upgrade = { role: "client", verify: "chain", serverName } as const;
    return await conn.upgradeToTls({ ...upgrade, timeoutMs: CONNECT_TIMEOUT_MS });
  } catch (cause) {
    if (!(cause instanceof TlsError)) throw cause;
    throw new NoConnection("tls", { message: cause.message, cause });
  } finally {
    signal.removeEventListener("abort", close);
  }
}
