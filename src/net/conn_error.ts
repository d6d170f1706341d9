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
