import type { Peer } from "../admin/env.ts";
import { isLoopback } from "../admin/guard/host_check.ts";
import type { ConnCaps } from "../net/conn_count.ts";
import { HttpServer, type HttpTimes } from "../net/http/server.ts";
import { formatEndpoint } from "../net/endpoint.ts";
import { ListenError } from "../net/listener.ts";
import { CertificateError, ServerTlsContext } from "../net/server_tls.ts";
import type { EventSink } from "../observe/events.ts";
import { clientKey } from "../policy/limits/client_key.ts";

/** Where to listen: an address and port (0 for one that the system chooses), or a Unix socket. */
export type HttpAddress =
  | { readonly address: string; readonly port: number }
  | { readonly path: string };

/** A running HTTP server. Disposing of it ends it, with what is under way. */
export interface ServedApp extends AsyncDisposable {
  /** Where it listens, with the port that the system chose. */
  readonly local: HttpAddress;
}

/** What is served, for people, and whether inside TLS. */
export interface Served {
  readonly what: string;
  readonly component: string;
  /** Certificate with its intermediates and key, PEM; absent without TLS. */
  readonly tls?: { readonly certificate: string; readonly key: string };
}

export interface ServeOptions {
  readonly at: HttpAddress;
  readonly caps: ConnCaps;
  readonly events: EventSink;
  readonly served: Served;
  readonly times?: Partial<HttpTimes>;
}

/** An app that is told who asks. */
export interface App {
  fetch(request: Request, env: { readonly peer: Peer }): Response | Promise<Response>;
}

/**
 * Serves an app.
 *
 * @throws ListenError when it cannot listen there, or not with that certificate.
 */
export async function serveHttp(app: App, options: ServeOptions): Promise<ServedApp> {
  const { at, caps, events, served, times } = options;
  const server = await open(options, {
    caps,
    keyOf: clientKey,
    ...(times === undefined ? {} : { times }),
    answer: (request, { remote, isUnix }) =>
      app.fetch(request, { peer: isUnix ? { kind: "unix" } : peerOf(remote.address) }),
    onError: (message, cause) =>
      events({ type: "trouble", level: "error", component: served.component, message, cause }),
  });
  const local = "path" in at ? at : { address: at.address, port: server.local.port };
  return { local, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

async function open(
  { at, served }: ServeOptions,
  options: Parameters<typeof HttpServer.open>[1],
): Promise<HttpServer> {
  try {
    const tls = served.tls === undefined
      ? {}
      : { tls: new ServerTlsContext({ certificates: [served.tls] }) };
    const server = await HttpServer.open(at, { ...options, ...tls });
    if ("path" in at) await Deno.chmod(at.path, 0o600);
    return server;
  } catch (cause) {
    const isListening = cause instanceof ListenError;
    if (!isListening && !(cause instanceof CertificateError)) throw cause;
    const place = "path" in at ? at.path : formatEndpoint(at);
    const reason = isListening ? cause.reason : cause.message;
    const message = `Cannot open ${served.what} on ${place}: ${reason}`;
    throw new ListenError(isListening ? cause.kind : "other", { message, reason, cause });
  }
}

function peerOf(address: string): Peer {
  return { kind: "tcp", address, isLoopback: isLoopback(address) };
}
