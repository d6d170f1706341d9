import {
  Agent,
  type ClientRequest,
  type IncomingMessage,
  request,
  type RequestOptions,
} from "node:http";
import type { Duplex } from "node:stream";
import { type Clock, systemClock } from "../base/clock.ts";
import type { HttpFetch, HttpInit, HttpResponse } from "../base/http_request.ts";
import type { Conn } from "./conn.ts";
import { ConnDuplex } from "./conn_duplex.ts";
import { dialHttp, type HttpOrigin } from "./http_dial.ts";

/** Makes HTTP requests with connections of its own. Disposing of it ends those that wait. */
export interface OwnFetch extends Disposable {
  readonly fetch: HttpFetch;
}

/** How long a connection waits for the next request; servers close theirs after a minute. */
const IDLE_MS = 30_000;

/**
 * Makes requests by HTTP/1.1 over the connections of this room. The runtime's `fetch` reads a body
 * before it connects and gives its errors no type, so that nobody could tell what was sent.
 */
export function fetchFrom(
  origin: HttpOrigin,
  { clock = systemClock }: { clock?: Clock } = {},
): OwnFetch {
  const end = new AbortController();
  const agentFor = (secure: boolean) =>
    new ConnAgent({
      clock,
      open: async ({ signal, ...target }) => {
        const options = { origin, signal: AbortSignal.any([signal, end.signal]), clock };
        return new HttpSocket(await dialHttp({ ...target, secure }, options));
      },
    });
  const plain = agentFor(false);
  const secure = agentFor(true);
  return {
    fetch: (text, init) => {
      const url = new URL(text);
      return send(url, { init, agent: url.protocol === "https:" ? secure : plain });
    },
    [Symbol.dispose]() {
      end.abort();
      plain.destroy();
      secure.destroy();
    },
  };
}

/** Answers that have no body (RFC 9110 section 6.4.1), which a `Response` wants to be told. */
const EMPTY_STATUSES: ReadonlySet<number> = new Set([204, 205, 304]);

/** The same requests in the form of the runtime's `fetch`. Redirections are never followed. */
export function webFetch(
  fetch: HttpFetch,
): (url: string, init: RequestInit) => Promise<Response> {
  return async (url, { method = "GET", headers, body, signal }) => {
    const { status, headers: found, body: octets } = await fetch(url, {
      method,
      headers: Object.fromEntries(new Headers(headers)),
      body: new Blob(body === undefined || body === null ? [] : [body as BlobPart]),
      signal: signal ?? new AbortController().signal,
    });
    const isEmpty = octets === null || EMPTY_STATUSES.has(status);
    const stream = isEmpty ? null : ReadableStream.from(octets) as ReadableStream<Uint8Array>;
    return new Response(stream, { status, headers: found });
  };
}

/** A connection with what `node:http` asks of a socket besides a stream. */
class HttpSocket extends ConnDuplex {
  constructor(conn: Conn) {
    super(conn);
    this.on("error", () => {}); // the request hears of it, and nobody where none is under way
  }

  setTimeout(): this {
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }
}

type Open = (
  request: { readonly host: string; readonly port: number; readonly signal: AbortSignal },
) => Promise<Duplex>;

/** What the library hands on to its agent; of `signal` it keeps nothing for it. */
interface ConnOptions extends RequestOptions {
  /** Ends the connecting. */
  readonly connecting?: AbortSignal;
}

/** Keeps connections for the next request to the same place. */
class ConnAgent extends Agent {
  readonly #clock: Clock;
  readonly #open: Open;
  readonly #idle = new Map<Duplex, () => void>();

  constructor({ clock, open }: { clock: Clock; open: Open }) {
    super({ keepAlive: true });
    this.#clock = clock;
    this.#open = open;
  }

  override createConnection(
    { host, port, connecting: signal }: ConnOptions,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): Duplex {
    const done = callback as (error: Error | null, stream?: Duplex) => void;
    if (!host || !signal) throw new TypeError("Cannot connect: a host and a signal are needed");
    this.#open({ host, port: Number(port), signal }).then(
      (stream) => done(null, stream),
      (error) => done(error),
    );
    return undefined as unknown as Duplex; // which the library takes for "by the callback"
  }

  override keepSocketAlive(socket: Duplex): boolean {
    const onClose = (): void => this.#forget(socket);
    const cancel = this.#clock.schedule(IDLE_MS, () => socket.destroy());
    socket.on("close", onClose);
    this.#idle.set(socket, () => {
      cancel();
      socket.off("close", onClose);
    });
    super.keepSocketAlive(socket);
    return true;
  }

  override reuseSocket(socket: Duplex, request: ClientRequest): void {
    this.#forget(socket);
    super.reuseSocket(socket, request);
  }

  #forget(socket: Duplex): void {
    this.#idle.get(socket)?.();
    this.#idle.delete(socket);
  }
}

function send(
  url: URL,
  { init, agent }: { init: HttpInit; agent: ConnAgent },
): Promise<HttpResponse> {
  const { method, headers, body, signal } = init;
  const { promise, resolve, reject } = Promise.withResolvers<HttpResponse>();
  signal.throwIfAborted();
  const options: ConnOptions = {
    agent,
    connecting: signal,
    signal,
    method,
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port),
    path: `${url.pathname}${url.search}`,
    headers: { ...headers, host: url.host, "content-length": String(body.size) },
  };
  const req = request(options);
  const upload = new Upload(req, body);
  req.on("socket", () => upload.start().catch((error) => req.destroy(error)));
  req.on("error", reject);
  req.on("close", () => reject(new Error("Cannot finish a request: the connection ended")));
  req.on("response", (response: IncomingMessage) => {
    response.on("error", () => {}); // who reads it hears of it
    if (!upload.isDone) endAfter(response, { req, upload });
    resolve(responseOf(response));
  });
  return promise;
}

/** Writes a body as fast as the connection takes it. */
class Upload {
  readonly #request: ClientRequest;
  readonly #body: Blob;
  #isStopped = false;
  isDone = false;

  constructor(request: ClientRequest, body: Blob) {
    this.#request = request;
    this.#body = body;
  }

  async start(): Promise<void> {
    for await (const chunk of this.#body.stream()) {
      if (this.#isStopped || this.#request.destroyed) return;
      if (!this.#request.write(chunk)) await drained(this.#request);
    }
    if (this.#isStopped || this.#request.destroyed) return;
    this.isDone = true;
    this.#request.end();
  }

  stop(): void {
    this.#isStopped = true;
    this.#request.emit("drain");
  }
}

function drained(request: ClientRequest): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      request.off("drain", end).off("close", end);
      resolve();
    };
    request.on("drain", end).on("close", end);
  });
}

/** A server that answers before it has read the body wants no more of it (RFC 9112 section 9.5). */
function endAfter(
  response: IncomingMessage,
  { req, upload }: { req: ClientRequest; upload: Upload },
): void {
  upload.stop();
  response.once("end", () => req.destroy());
}

function responseOf(response: IncomingMessage): HttpResponse {
  const headers = new Headers();
  const { rawHeaders, statusCode = 0 } = response;
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    try {
      headers.append(rawHeaders[index] ?? "", rawHeaders[index + 1] ?? "");
    } catch {
      // A field that no program could read says nothing.
    }
  }
  return { status: statusCode, headers, body: response };
}
