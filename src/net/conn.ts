import type { ServerTlsContext } from "./server_tls.ts";

/** One end of a connection. */
export interface Endpoint {
  /** IP address without brackets, or the path of a Unix socket. */
  readonly address: string;
  /** TCP port; 0 for a Unix socket. */
  readonly port: number;
}

/** What a finished TLS handshake agreed on. */
export interface TlsInfo {
  /** `TLSv1.2` or `TLSv1.3`; empty where the runtime does not tell. */
  readonly version: string;
  /** OpenSSL's or IANA's name of the cipher suite; empty where the runtime does not tell. */
  readonly cipher: string;
  /** The name the client asked for (RFC 6066 section 3). */
  readonly serverName?: string;
  /** The peer's certificate, where one was presented. */
  readonly peer?: PeerCertificate;
}

/** A certificate that the other side presented. */
export interface PeerCertificate {
  /**
   * Whether it chains to a trusted root and, where this side is the client, fits the expected name.
   * A certificate that was accepted without this proves only that the peer holds its key.
   */
  readonly authorized: boolean;
  /** OpenSSL's code for why it is not authorized, such as `CERT_HAS_EXPIRED`; null when it is. */
  readonly reason: string | null;
  /** SHA-256 of the DER form, lower-case hex without colons. */
  readonly fingerprintSha256: string;
  /** The distinguished name, such as `CN=mx.example.org`. */
  readonly subject: string;
  /** The DNS names it is for. */
  readonly names: readonly string[];
  /** DER forms as far as the peer or the trust store has them, the peer's own first. */
  readonly chain: readonly Uint8Array[];
}

/** A certificate and its key, both PEM. */
export interface KeyPair {
  /** The certificate, then its intermediates. */
  readonly certificate: string;
  readonly key: string;
}

/** The lowest version that is spoken. Versions before 1.2 are never (RFC 8996). */
export type TlsMinVersion = "TLSv1.2" | "TLSv1.3";

/** How to turn a plain stream into TLS. */
export type TlsUpgrade = ServerTlsUpgrade | ClientTlsUpgrade;

/** The accepting side. */
export interface ServerTlsUpgrade {
  readonly role: "server";
  /** Made by `createServerTls`. */
  readonly context: ServerTlsContext;
  /** For the whole handshake. */
  readonly timeoutMs: number;
}

/** The connecting side. */
export interface ClientTlsUpgrade {
  readonly role: "client";
  /** The name to ask for and to expect; an IP address is expected but not asked for. */
  readonly serverName: string;
  /**
   * `chain`: fail unless the certificate is authorized. `none`: take any certificate, as
   * opportunistic TLS does; the caller may then judge `TlsInfo.peer` by itself (fingerprints,
   * DANE) and close.
   */
  readonly verify: "none" | "chain";
  /** PEM roots in place of the public ones. */
  readonly ca?: readonly string[];
  readonly clientCertificate?: KeyPair;
  /** `TLSv1.2` where not given. */
  readonly minVersion?: TlsMinVersion;
  /** For the whole handshake. */
  readonly timeoutMs: number;
}

/**
 * A byte stream to a peer. Plain, STARTTLS and implicit TLS look the same from
 * above. At most one `read` is pending at a time and one caller owns it.
 */
export interface Conn {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  /** Null while the stream is plain. */
  readonly tls: TlsInfo | null;
  /**
   * Reads at least one octet into `into` and returns how many; null at the end
   * of the stream.
   *
   * @throws Error when the connection is lost or `close` was called.
   */
  read(into: Uint8Array): Promise<number | null>;
  /**
   * Writes all of `data`; resolves when the runtime has taken it.
   *
   * @throws Error when the connection is lost or closed.
   */
  write(data: Uint8Array): Promise<void>;
  /** Closes both directions at once; a pending read ends. Calling it again does nothing. */
  close(): void;
  /**
   * Makes the TLS handshake and returns the stream inside. No read may be pending, and the caller
   * must have thrown away what it had read ahead (RFC 3207 section 4.2). This connection belongs
   * to the returned one from then on; when the handshake fails it is closed.
   *
   * @throws TlsError when the handshake fails or takes too long.
   */
  upgradeToTls(upgrade: TlsUpgrade): Promise<Conn>;
}
