import type { FailedDial } from "./dial.ts";

/** A proxy that connects on our behalf. */
export interface Proxy {
  /** `socks5`: RFC 1928; `http`: the CONNECT method of RFC 9110 section 9.3.6. */
  readonly kind: "socks5" | "http";
  /** IP address without brackets. */
  readonly address: string;
  readonly port: number;
  /** RFC 1929 for SOCKS, Basic (RFC 7617) for HTTP. */
  readonly credentials?: ProxyCredentials;
  /** Address of this machine to connect to the proxy from. */
  readonly localAddress?: string;
}

export interface ProxyCredentials {
  readonly username: string;
  readonly password: string;
}

/** Where the proxy is to connect to. */
export interface ProxyTarget {
  /** An IP address without brackets, or a name that the proxy resolves. */
  readonly host: string;
  readonly port: number;
}

/** What a proxy made of the request. */
export type ProxyAnswer =
  | {
    readonly kind: "connected";
    /** What the target sent together with the proxy's answer. */
    readonly ahead: Uint8Array;
  }
  | FailedDial;
