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
  /** Whether it chains to a trusted root and fits the expected name. */
  readonly authorized: boolean;
  /** SHA-256 of the DER form, lower-case hex without colons. */
  readonly fingerprintSha256: string;
  readonly subject: string;
  readonly names: readonly string[];
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
}
