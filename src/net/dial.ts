import type { Clock } from "../base/clock.ts";
import type { Conn } from "./conn.ts";
import { errorCode } from "./conn_error.ts";
import { plainConn } from "./plain_conn.ts";
import { connectFrom } from "./source_address.ts";
import { TimeLimit } from "./time_limit.ts";

/** Where to connect to. */
export type DialTarget =
  | {
    /** IP address without brackets. */
    readonly address: string;
    readonly port: number;
    /** Address of this machine to connect from. */
    readonly localAddress?: string;
  }
  | {
    /** Path of a Unix socket. */
    readonly path: string;
  };

/** Limits of one attempt to connect. */
export interface DialOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
}

/** Why no connection came about. */
export type DialFailure =
  /** Nothing listens there. */
  | "refused"
  | "timeout"
  /** No way to the host, or the path of a Unix socket does not exist. */
  | "unreachable"
  /** A router, a firewall or the mode of a Unix socket forbids this one connection. */
  | "prohibited"
  /** `signal` aborted. */
  | "aborted"
  /** The address that was chosen to connect from is not on this machine. */
  | "local_address"
  /** The runtime was not given the permission to connect there. */
  | "not_permitted"
  /** This machine is short of something, such as descriptors or ports. */
  | "exhausted"
  /** The proxy on the way cannot be used: it is not there, knows us not, or makes no sense. */
  | "proxy"
  /** The proxy on the way does not connect there for us. */
  | "denied"
  | "other";

/** Why and how no connection came about. */
export interface FailedDial {
  readonly kind: DialFailure;
  readonly reason: string;
}

/** What `dial` answers. */
export type DialResult = { readonly kind: "connected"; readonly conn: Conn } | FailedDial;

/** Connects once to `target`. Never throws for what the network does. */
export async function dial(target: DialTarget, options: DialOptions): Promise<DialResult> {
  const limit = new TimeLimit(options);
  try {
    const conn = await connect(target, limit.signal);
    const failure = limit.failure();
    if (failure === null) return { kind: "connected", conn };
    conn.close();
    return failure;
  } catch (cause) {
    return limit.failure() ?? describeFailure(cause, target);
  } finally {
    limit.clear();
  }
}

async function connect(target: DialTarget, signal: AbortSignal): Promise<Conn> {
  if ("path" in target) return plainConn(await connectUnix(target.path, signal));
  const { address, port, localAddress } = target;
  if (localAddress !== undefined) return connectFrom(localAddress, { address, port, signal });
  return plainConn(await Deno.connect({ hostname: address, port, signal }));
}

/** The runtime cannot cancel this one: it waits while the backlog of the listener is full. */
function connectUnix(path: string, signal: AbortSignal): Promise<Deno.UnixConn> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    Deno.connect({ transport: "unix", path }).then((socket) => {
      signal.removeEventListener("abort", onAbort);
      if (signal.aborted) socket.close();
      else resolve(socket);
    }, reject);
  });
}

const FAILURE_OF_CODE: Readonly<Record<string, DialFailure>> = {
  ECONNREFUSED: "refused",
  ECONNRESET: "refused",
  ETIMEDOUT: "timeout",
  EHOSTUNREACH: "unreachable",
  ENETUNREACH: "unreachable",
  ENETDOWN: "unreachable",
  ENOENT: "unreachable",
  // Without a source of our choice: no address of that kind here, or no port left towards there.
  EADDRNOTAVAIL: "unreachable",
  EAFNOSUPPORT: "unreachable",
  EACCES: "prohibited",
  EPERM: "prohibited",
  EMFILE: "exhausted",
  ENFILE: "exhausted",
  ENOBUFS: "exhausted",
  ENOMEM: "exhausted",
  EAGAIN: "exhausted",
};

/** What differs where the address to connect from was chosen. */
const FAILURE_FROM_SOURCE: Readonly<Record<string, DialFailure>> = {
  EADDRNOTAVAIL: "local_address",
};

/** What differs for Unix sockets: their backlog is full. */
const FAILURE_OF_PATH: Readonly<Record<string, DialFailure>> = { EAGAIN: "refused" };

/** Types what the runtime threw when it could not connect to `target`. */
export function describeFailure(cause: unknown, target: DialTarget): FailedDial {
  const reason = cause instanceof Error ? cause.message : String(cause);
  if (cause instanceof Deno.errors.NotCapable) return { kind: "not_permitted", reason };
  const particular = "path" in target
    ? FAILURE_OF_PATH
    : target.localAddress === undefined
    ? {}
    : FAILURE_FROM_SOURCE;
  const code = errorCode(cause);
  return { kind: particular[code] ?? FAILURE_OF_CODE[code] ?? "other", reason };
}
