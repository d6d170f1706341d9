import { type Clock, sleep, systemClock } from "../base/clock.ts";
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
  /** Hears of trouble with accepting, once per spell of it; accepting goes on by itself. */
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

  constructor(kind: ListenFailure, options: { message: string; cause?: unknown }) {
    super(options.message, { cause: options.cause });
    this.kind = kind;
  }
}

const FIRST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 1000;

/**
 * Starts to accept connections at `where`.
 *
 * @throws ListenError when the address is taken, not allowed or not there.
 */
export async function listen(where: ListenAddress, options: ListenOptions): Promise<Listener> {
  if ("path" in where) await removeStaleSocket(where.path);
  const socket = open(where, options.backlog);
  return new AcceptLoop(socket, options);
}

type ListenSocket = Deno.Listener<Deno.TcpConn | Deno.UnixConn>;

class AcceptLoop implements Listener {
  readonly local: Endpoint;
  readonly #socket: ListenSocket;
  readonly #options: ListenOptions;
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;

  constructor(socket: ListenSocket, options: ListenOptions) {
    this.#socket = socket;
    this.#options = options;
    this.local = endpointOf(socket.addr);
    this.#done = this.#run();
  }

  stop(): void {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort();
    this.#socket.close();
    if (this.#socket.addr.transport === "unix") removeFile(this.local.address);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stop();
    await this.#done;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    let pauseMs = 0;
    while (!signal.aborted) {
      try {
        const socket = await this.#socket.accept();
        pauseMs = 0;
        this.#options.onConn(plainConn(socket));
      } catch (error) {
        // Out of descriptors (EMFILE), or a client that left before it was accepted
        // (ECONNABORTED): both pass, so the loop waits and goes on.
        if (signal.aborted) return;
        if (pauseMs === 0) this.#options.onError(error);
        pauseMs = Math.min(Math.max(pauseMs * 2, FIRST_PAUSE_MS), LONGEST_PAUSE_MS);
        await this.#pause(pauseMs);
      }
    }
  }

  async #pause(delayMs: number): Promise<void> {
    const { signal } = this.#stop;
    try {
      await sleep(this.#options.clock ?? systemClock, { delayMs, signal });
    } catch (reason) {
      if (!signal.aborted) throw reason;
    }
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
    new ListenError(kind, { message: `Cannot listen on ${place}: ${reason}`, cause });
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
