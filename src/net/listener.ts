import { type Clock, systemClock } from "../base/clock.ts";
import { AcceptLoop } from "./accept_loop.ts";
import type { Conn, Endpoint } from "./conn.ts";
import { errorCode } from "./conn_error.ts";
import { endpointOf, formatEndpoint } from "./endpoint.ts";
import { plainConn } from "./plain_conn.ts";

/** Where to accept connections. */
export type ListenAddress =
  | {
    /** IP address without brackets; `0.0.0.0` or `::` for all. */
    readonly address: string;
    /** 0 for a port that the system chooses. */
    readonly port: number;
    /** Lets several processes or workers share the port (needs `--unstable-net`). */
    readonly reusePort?: boolean;
  }
  | {
    /** Path of a Unix socket. A socket file that nobody listens on is replaced. */
    readonly path: string;
  };

/** What a listener tells and needs. */
export interface ListenOptions {
  /** Takes over each accepted connection. Must not throw. */
  readonly onConn: (conn: Conn) => void;
  /** Is notified of trouble with accepting, once per spell of it; accepting goes on by itself. */
  readonly onError: (error: unknown) => void;
  /** Connections that may wait to be accepted; the runtime's default (511) where not given. */
  readonly backlog?: number;
  readonly clock?: Clock;
}

/** A listening socket. */
export interface Listener extends AsyncDisposable {
  /** Where it listens, with the port that the system chose. */
  readonly local: Endpoint;
  /** Stops accepting; connections accepted before live on. Calling it again does nothing. */
  stop(): void;
}

/** Why a socket cannot listen. */
export type ListenFailure =
  | "address_in_use"
  | "permission_denied"
  | "address_unavailable"
  | "other";

/** What `listen` throws. */
export class ListenError extends Error {
  override readonly name = "ListenError";
  readonly kind: ListenFailure;
  /** The part of the message that says why. */
  readonly reason: string;

  constructor(
    kind: ListenFailure,
    options: { message: string; reason?: string; cause?: unknown },
  ) {
    super(options.message, { cause: options.cause });
    this.kind = kind;
    this.reason = options.reason ?? options.message;
  }
}

/**
 * Starts to accept connections at `where`.
 *
 * @throws ListenError when the address is taken, not allowed or not there.
 */
export async function listen(where: ListenAddress, options: ListenOptions): Promise<Listener> {
  if ("path" in where) await removeStaleSocket(where.path);
  return new SocketListener(where, options);
}

type ListenSocket = Deno.Listener<Deno.TcpConn | Deno.UnixConn>;

class SocketListener implements Listener {
  readonly local: Endpoint;
  readonly #path: string | null;
  readonly #loop: AcceptLoop<Deno.TcpConn | Deno.UnixConn>;
  #stopped = false;

  constructor(where: ListenAddress, options: ListenOptions) {
    const { backlog, onConn, onError, clock = systemClock } = options;
    const socket = open(where, backlog);
    this.local = endpointOf(socket.addr);
    this.#path = "path" in where ? where.path : null;
    const place = "path" in where ? where : { ...where, port: this.local.port };
    this.#loop = new AcceptLoop(socket, {
      reopen: () => {
        this.#removeFile();
        return open(place, backlog);
      },
      onSocket: (accepted) => onConn(plainConn(accepted)),
      onError,
      clock,
    });
  }

  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#loop.stop();
    this.#removeFile();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stop();
    await this.#loop.done;
  }

  #removeFile(): void {
    if (this.#path !== null) removeFile(this.#path);
  }
}

function open(where: ListenAddress, backlog: number | undefined): ListenSocket {
  try {
    if ("path" in where) return Deno.listen({ transport: "unix", path: where.path });
    return Deno.listen({
      hostname: where.address,
      port: where.port,
      ...(backlog === undefined ? {} : { tcpBacklog: backlog }),
      ...(where.reusePort === true ? { reusePort: true } : {}),
    });
  } catch (cause) {
    throw listenError(where, cause);
  }
}

function listenError(where: ListenAddress, cause: unknown): ListenError {
  const place = "path" in where ? where.path : formatEndpoint(where);
  const fail = (kind: ListenFailure, reason: string): ListenError =>
    new ListenError(kind, { message: `Cannot listen on ${place}: ${reason}`, reason, cause });
  if (cause instanceof Deno.errors.AddrInUse) {
    return fail("address_in_use", "another program listens there");
  }
  if (cause instanceof Deno.errors.PermissionDenied) {
    return fail("permission_denied", "the system does not permit it");
  }
  if (cause instanceof Deno.errors.NotCapable) {
    return fail("permission_denied", "the process was started without permission for it");
  }
  if (cause instanceof Deno.errors.AddrNotAvailable) {
    return fail("address_unavailable", "this machine does not have the address");
  }
  return fail("other", errorCode(cause) || String(cause));
}

/** A process that was killed leaves its socket file, which only then refuses connections. */
async function removeStaleSocket(path: string): Promise<void> {
  try {
    const probe = await Deno.connect({ transport: "unix", path });
    probe.close();
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused) removeFile(path);
  }
}

function removeFile(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
