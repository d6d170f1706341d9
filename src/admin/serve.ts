import type { Hono } from "hono";
import type { EventSink } from "../observe/events.ts";
import type { AdminEnv, Peer } from "./env.ts";
import { isLoopback } from "./guard/host_check.ts";

/** Where to listen: an address and port (0 for one that the system chooses), or a Unix socket. */
export type AdminAddress =
  | { readonly address: string; readonly port: number }
  | { readonly path: string };

/** Why the admin API cannot listen. */
export type AdminListenFailure = "address_in_use" | "permission_denied" | "other";

/** The admin API cannot be opened. */
export class AdminListenError extends Error {
  override readonly name = "AdminListenError";
  readonly kind: AdminListenFailure;

  constructor(kind: AdminListenFailure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

/** A running admin server. Disposing of it ends it, with what is under way. */
export interface AdminServer extends AsyncDisposable {
  /** Where it listens, with the port that the system chose. */
  readonly local: AdminAddress;
}

/** How long answers under way may take once it is told to stop. */
const GRACE_MS = 1_000;

/** What is served, for people, and whether inside TLS. */
export interface Served {
  readonly what: string;
  readonly component: string;
  /** Certificate with its intermediates and key, PEM; absent without TLS. */
  readonly tls?: { readonly certificate: string; readonly key: string };
}

const ADMIN: Served = { what: "the admin API", component: "admin" };

/**
 * Serves the admin app, or another that `served` names.
 *
 * @throws AdminListenError when it cannot listen there.
 */
export async function serveAdmin(
  app: Pick<Hono<AdminEnv>, "fetch">,
  { at, events, served = ADMIN }: { at: AdminAddress; events: EventSink; served?: Served },
): Promise<AdminServer> {
  const abort = new AbortController();
  const answers = new Set<Promise<void>>();
  const answer = (request: Request, info: Deno.ServeHandlerInfo) => {
    // RFC 9112 section 3.2: a Host field that is none is the client's mistake.
    if (!URL.canParse(request.url)) return new Response("Bad request\n", { status: 400 });
    const completed = info.completed.catch(() => {}).finally(() => answers.delete(completed));
    answers.add(completed);
    return app.fetch(request, { peer: peerOf(info.remoteAddr) });
  };
  const options = {
    signal: abort.signal,
    onListen: () => {}, // the composition root says so, once all is well
    onError(cause: unknown): Response {
      const message = "Cannot answer a request";
      events({ type: "trouble", level: "error", component: served.component, message, cause });
      return new Response("Internal error\n", { status: 500 });
    },
  };
  try {
    const { server, local } = await listen({ at, options, answer, tls: served.tls });
    return { local, [Symbol.asyncDispose]: () => stop({ server, answers, abort }) };
  } catch (cause) {
    abort.abort();
    throw listenError(at, { what: served.what, cause });
  }
}

async function listen({ at, options, answer, tls }: {
  at: AdminAddress;
  options: Deno.ServeOptions;
  tls: Served["tls"];
  answer: (request: Request, info: Deno.ServeHandlerInfo) => Response | Promise<Response>;
}): Promise<{ server: Deno.HttpServer<Deno.Addr>; local: AdminAddress }> {
  if ("path" in at) {
    await removeSocket(at.path);
    const server = Deno.serve({ ...options, path: at.path }, answer);
    await Deno.chmod(at.path, 0o600);
    return { server, local: at };
  }
  const secured = tls === undefined ? {} : { cert: tls.certificate, key: tls.key };
  const place = { hostname: at.address, port: at.port };
  const server = Deno.serve({ ...options, ...place, ...secured }, answer);
  return { server, local: { address: at.address, port: server.addr.port } };
}

/** Lets answers under way end, for a while, then cuts what is left. */
async function stop(
  { server, answers, abort }: {
    server: Deno.HttpServer<Deno.Addr>;
    answers: ReadonlySet<Promise<void>>;
    abort: AbortController;
  },
): Promise<void> {
  const grace = Promise.withResolvers<"over">();
  const timer = setTimeout(() => grace.resolve("over"), GRACE_MS);
  const ended = await Promise.race([Promise.all(answers), grace.promise]);
  if (ended === "over") {
    abort.abort(); // a shutdown would wait for them, and nothing ends a shutdown
    await server.finished;
  } else await Promise.race([server.shutdown(), grace.promise]); // lets the last octets leave
  clearTimeout(timer);
}

/** A socket file that a former process left behind would keep this one from listening. */
async function removeSocket(path: string): Promise<void> {
  try {
    const { isSocket } = await Deno.lstat(path);
    if (isSocket === true) await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function peerOf(remote: Deno.Addr): Peer {
  if (!("hostname" in remote)) return { kind: "unix" };
  return { kind: "tcp", address: remote.hostname, isLoopback: isLoopback(remote.hostname) };
}

function listenError(
  at: AdminAddress,
  { what, cause }: { what: string; cause: unknown },
): AdminListenError {
  const place = "path" in at ? at.path : `${at.address} port ${at.port}`;
  const [kind, reason] = failureOf(cause);
  return new AdminListenError(kind, `Cannot open ${what} on ${place}: ${reason}`, { cause });
}

function failureOf(cause: unknown): [AdminListenFailure, string] {
  if (cause instanceof Deno.errors.AddrInUse) return ["address_in_use", "the address is in use"];
  if (cause instanceof Deno.errors.PermissionDenied) {
    return ["permission_denied", "permission denied"];
  }
  return ["other", cause instanceof Error ? cause.message : String(cause)];
}
