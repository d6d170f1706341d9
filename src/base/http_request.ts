/** A request: part of the runtime's `RequestInit`, so that its `fetch` can stand in. */
export interface HttpInit extends RequestInit {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Blob;
  readonly signal: AbortSignal;
}

/** The head of an answer, and its body as it comes. */
export interface HttpResponse {
  readonly status: number;
  readonly headers: Headers;
  /** Leaving its loop ends the connection. */
  readonly body: AsyncIterable<Uint8Array> | null;
}

/**
 * Makes one request. Its body is read when there is a connection, TLS included, and not before: as
 * much of it as was read may have been sent, and nothing else.
 *
 * @throws NoConnection where there was none; any other error of a connection that broke.
 */
export type HttpFetch = (url: string, init: HttpInit) => Promise<HttpResponse>;

/** Why there was no connection that a request could have been sent on. */
export type NoConnectionReason =
  /** The system knows no address of the name. */
  | "name"
  /** The TLS handshake failed, or the certificate is not the one of the host. */
  | "tls"
  /** As those of the same names in `DialFailure`. */
  | "refused"
  | "timeout"
  | "unreachable"
  /** A router or a firewall forbids this one connection. */
  | "prohibited"
  | "aborted"
  | "local_address"
  | "not_permitted"
  | "exhausted"
  | "proxy"
  | "denied"
  | "other";

/** There was no connection for a request, so that nothing of it was sent. */
export class NoConnection extends Error {
  override readonly name = "NoConnection";
  readonly reason: NoConnectionReason;

  constructor(reason: NoConnectionReason, options: { message: string; cause?: unknown }) {
    super(options.message, { cause: options.cause });
    this.reason = reason;
  }
}
