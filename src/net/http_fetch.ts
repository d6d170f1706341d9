import { formatEndpoint } from "./endpoint.ts";
import type { Proxy } from "./proxy.ts";

/** From where requests come. */
export interface FetchOrigin {
  /** `address` may be a host name; the proxy looks up the names in URLs. */
  readonly proxy?: Omit<Proxy, "localAddress">;
  /** Address of this machine to connect from. */
  readonly localAddress?: string;
}

/** A `fetch` with connections of its own. Disposing of it lets go of those that wait. */
export interface OwnFetch extends Disposable {
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
}

/** Makes a `fetch` that connects through a proxy, or from an address of this machine. */
export function fetchFrom({ proxy, localAddress }: FetchOrigin): OwnFetch {
  const client = Deno.createHttpClient({
    ...(proxy === undefined ? {} : { proxy: proxyOptions(proxy) }),
    ...(localAddress === undefined ? {} : { localAddress }),
  });
  return {
    fetch: (url, init) => fetch(url, { ...init, client }),
    [Symbol.dispose]: () => client.close(),
  };
}

function proxyOptions({ kind, address, port, credentials }: Omit<Proxy, "localAddress">) {
  // socks5h is the word for a proxy that looks up names.
  const scheme = kind === "socks5" ? "socks5h" : "http";
  return {
    transport: kind,
    url: `${scheme}://${formatEndpoint({ address, port })}`,
    ...(credentials === undefined ? {} : { basicAuth: credentials }),
  };
}
