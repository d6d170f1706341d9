/** Why a connection cannot be used any more. */
export type ConnFailure =
  /** This side called `close`. */
  | "closed"
  /** The peer or the network broke it. */
  | "reset"
  /** The network gave up sending (TCP retransmission or keep-alive). */
  | "timeout"
  /** The TLS layer failed. */
  | "tls"
  | "other";

/** What `read` and `write` of a connection throw. */
export class ConnError extends Error {
  override readonly name: string = "ConnError";
  readonly kind: ConnFailure;

  constructor(kind: ConnFailure, options: { message: string; cause?: unknown }) {
    super(options.message, { cause: options.cause });
    this.kind = kind;
  }
}

/** Why a TLS handshake failed. */
export type TlsFailure =
  /** The two sides did not agree, or the peer does not speak TLS. */
  | "handshake"
  /** No trusted root vouches for the certificate. */
  | "untrusted"
  /** The certificate is for other names. */
  | "name_mismatch"
  /** The certificate is not valid at this time. */
  | "expired"
  | "timeout"
  /** The connection ended during the handshake. */
  | "lost";

/** What `upgradeToTls` throws. */
export class TlsError extends ConnError {
  override readonly name = "TlsError";
  readonly reason: TlsFailure;
  /** The code of the TLS library, such as `CERT_HAS_EXPIRED`; empty where there is none. */
  readonly code: string;

  constructor(reason: TlsFailure, options: { message: string; cause?: unknown }) {
    super("tls", options);
    this.reason = reason;
    this.code = errorCode(options.cause);
  }
}

const KIND_OF_CODE: Readonly<Record<string, ConnFailure>> = {
  ECONNRESET: "reset",
  ECONNABORTED: "reset",
  EPIPE: "reset",
  ENOTCONN: "reset",
  EHOSTUNREACH: "reset",
  ENETUNREACH: "reset",
  ENETDOWN: "reset",
  ETIMEDOUT: "timeout",
};

/** Types what the runtime threw. `closed` tells that this side had called `close`. */
export function toConnError(cause: unknown, { closed }: { closed: boolean }): ConnError {
  if (cause instanceof ConnError) return cause;
  if (closed) return connClosed();
  const code = errorCode(cause);
  const kind = KIND_OF_CODE[code] ?? kindOfClass(cause);
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new ConnError(kind, { message: `Cannot use the connection: ${reason}`, cause });
}

/** The error of a call on a connection that this side has closed. */
export function connClosed(): ConnError {
  return new ConnError("closed", { message: "Cannot use the connection: it is closed" });
}

/** The `code` property of a system error (`ECONNRESET` …); empty where there is none. */
export function errorCode(error: unknown): string {
  if (typeof error !== "object" || error === null || !("code" in error)) return "";
  return typeof error.code === "string" ? error.code : "";
}

function kindOfClass(cause: unknown): ConnFailure {
  // `rustls` alerts and a stream cut without close_notify arrive without a system error code.
  if (cause instanceof Deno.errors.InvalidData) return "tls";
  if (cause instanceof Deno.errors.UnexpectedEof) return "reset";
  return "other";
}
