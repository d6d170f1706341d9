import type { DialOptions, DialResult } from "../../net/dial.ts";
import { formatEndpoint } from "../../net/endpoint.ts";
import type { Proxy } from "../../net/proxy.ts";
import { dialThrough } from "../../net/proxy_dial.ts";
import type { RemoteHop } from "../transport.ts";
import { familyOf } from "./address_order.ts";
import type { SmtpTransportOptions } from "./options.ts";

/** A proxy that all connections of a transport go through, Unix sockets apart. */
export interface TransportProxy extends Omit<Proxy, "address" | "localAddress"> {
  /** Host name, or IP address without brackets. */
  readonly host: string;
  /** Whether it looks up the addresses of hosts, which it is given by their names then. */
  readonly resolves: boolean;
}

const DEFAULT_CONNECT_TIMEOUT_MS = 30_000;

/** Connects as one transport does: from its own addresses, and by way of its proxy. */
export class Dialer {
  /** The proxy as `socks5://proxy.example.net:1080`; null without one. */
  readonly via: string | null;
  readonly #options: SmtpTransportOptions;

  constructor(options: SmtpTransportOptions) {
    this.#options = options;
    this.via = options.proxy === undefined ? null : formatProxy(options.proxy);
  }

  /** Connects to one address, or to the name that stands in its place for a proxy. */
  async dial(
    { address, port }: RemoteHop,
    { signal }: { signal: AbortSignal },
  ): Promise<DialResult> {
    const { connectTimeoutMs, proxy, services: { dial, clock } } = this.#options;
    const options = { timeoutMs: connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS, signal, clock };
    if (address.startsWith("/")) return dial({ path: address }, options);
    if (proxy !== undefined) return this.#dialThrough(proxy, { host: address, port, options });
    const source = this.#sourceFor(address);
    if (source === null) return NO_SOURCE;
    const result = await dial({ address, port, ...source }, options);
    return result.kind === "local_address" && this.#hasBothKinds ? NO_SOURCE : result;
  }

  /** Whether hosts of one kind are out of reach alone when a source address is not there. */
  get #hasBothKinds(): boolean {
    return new Set(this.#options.localAddresses?.map(familyOf)).size > 1;
  }

  /** By the first address of the proxy that works. */
  async #dialThrough(
    { host: proxyHost, resolves: _, ...proxy }: TransportProxy,
    { options, ...target }: { host: string; port: number; options: DialOptions },
  ): Promise<DialResult> {
    const found = await this.#options.services.resolver.addresses(proxyHost);
    if (found.kind !== "found") {
      return { kind: "proxy", reason: `The proxy ${proxyHost} has no address` };
    }
    let result: DialResult = NO_SOURCE;
    for (const { address } of found.records) {
      const source = this.#sourceFor(address);
      if (source === null) continue;
      result = await dialThrough({ ...proxy, address, ...source }, { ...options, target });
      if (result.kind !== "proxy") break;
    }
    return result;
  }

  /** Null where this transport does not connect to addresses of that kind. */
  #sourceFor(address: string): { readonly localAddress?: string } | null {
    const { localAddresses } = this.#options;
    if (localAddresses === undefined) return {};
    const localAddress = localAddresses.find((own) => familyOf(own) === familyOf(address));
    return localAddress === undefined ? null : { localAddress };
  }
}

const NO_SOURCE = {
  kind: "unreachable",
  reason: "there is no address of its kind to connect from",
} as const;

/** A proxy as people read it, without its credentials. */
export function formatProxy(
  { kind, host, port }: Pick<TransportProxy, "kind" | "host" | "port">,
): string {
  return `${kind}://${formatEndpoint({ address: host, port })}`;
}
