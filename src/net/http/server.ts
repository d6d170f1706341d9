import { type IncomingMessage, Server, type ServerResponse } from "node:http";
import type { Clock } from "../../base/clock.ts";
import { TaskGroup } from "../../base/task_group.ts";
import type { Conn, Endpoint } from "../conn.ts";
import { errorCode } from "../conn_error.ts";
import { type ConnCaps, ConnCount } from "../conn_count.ts";
import { listen, type ListenAddress, type Listener } from "../listener.ts";
import type { ServerTlsContext } from "../server_tls.ts";
import { HttpRefusal, toRequest } from "./request.ts";
import { writeResponse } from "./response.ts";
import { HttpSocket } from "./socket.ts";

/** How long a client may take. */
export interface HttpTimes {
  /** For a TLS handshake. */
  readonly handshakeMs: number;
  /** From the connection, or the answer before, to the end of a request's header. */
  readonly headerMs: number;
  /** From the first octet of a request to the last of its body. */
  readonly requestMs: number;
  /** Between an answer and the next request. */
  readonly idleMs: number;
  /** To take the next octets of an answer. */
  readonly writeMs: number;
  /** How long answers under way may take once the server stops. */
  readonly graceMs: number;
}

export const HTTP_TIMES: HttpTimes = {
  handshakeMs: 10_000,
  headerMs: 15_000,
  requestMs: 300_000,
  idleMs: 60_000,
  writeMs: 60_000,
  graceMs: 1_000,
};

/** Who makes a request. */
export interface HttpPeer {
  readonly remote: Endpoint;
  /** Whether it came through a Unix socket. */
  readonly isUnix: boolean;
}

export interface HttpServerOptions {
  readonly answer: (request: Request, peer: HttpPeer) => Response | Promise<Response>;
  readonly caps: ConnCaps;
  /** What counts as one client. */
  readonly keyOf: (address: string) => string;
  /** Absent without TLS. */
  readonly tls?: ServerTlsContext;
  /** Is notified of what is no client's doing: an answer that failed, accepting that does. */
  readonly onError: (message: string, cause: unknown) => void;
  readonly times?: Partial<HttpTimes>;
  readonly clock?: Clock;
}

/** Larger header sections are refused with 431. */
const MAX_HEADER_BYTES = 32_768;
const MAX_HEADERS = 200;
/** How often overdue requests are looked for. */
const CHECK_INTERVAL_MS = 1_000;

/**
 * An HTTP/1.1 server over the connections that `listen` accepts. `Deno.serve` accepts without any
 * limit, has no time for a header, and ends the process with the listener when descriptors run
 * out, so the protocol is that of `node:http`, behind the same door as SMTP. That costs some
 * 0.2 ms of CPU for each request more.
 */
export class HttpServer implements AsyncDisposable {
  readonly #options: HttpServerOptions;
  readonly #times: HttpTimes;
  readonly #count: ConnCount;
  readonly #parser: Server;
  readonly #conns = new Set<Conn>();
  readonly #sockets = new Set<HttpSocket>();
  readonly #tasks: TaskGroup;
  #listener: Listener | null = null;
  #stopping = false;

  private constructor(options: HttpServerOptions) {
    this.#options = options;
    this.#times = { ...HTTP_TIMES, ...options.times };
    this.#count = new ConnCount(options.caps, options);
    this.#tasks = new TaskGroup((cause) => options.onError("Cannot serve a connection", cause));
    this.#parser = this.#makeParser();
  }

  /**
   * Starts to serve at `where`.
   *
   * @throws ListenError
   */
  static async open(where: ListenAddress, options: HttpServerOptions): Promise<HttpServer> {
    const server = new HttpServer(options);
    try {
      server.#listener = await listen(where, {
        onConn: (conn) => server.#admit(conn),
        onError: (cause) => options.onError("Cannot accept connections for now", cause),
        ...(options.clock === undefined ? {} : { clock: options.clock }),
      });
    } catch (error) {
      server.#parser.close();
      throw error;
    }
    return server;
  }

  /** Where it listens, with the port that the system chose. */
  get local(): Endpoint {
    if (this.#listener === null) {
      throw new Error("Cannot return the address: the server does not listen yet");
    }
    return this.#listener.local;
  }

  get connections(): number {
    return this.#count.total;
  }

  /** Lets answers under way end, for a while, then cuts what is left. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping = true;
    await this.#listener?.[Symbol.asyncDispose]();
    for (const socket of this.#sockets) if (socket.requests === 0) socket.destroySoon();
    for (const conn of this.#conns) conn.close();
    const grace = Promise.withResolvers<void>();
    const timer = setTimeout(grace.resolve, this.#times.graceMs);
    await Promise.race([this.#tasks.idle(), grace.promise]);
    clearTimeout(timer);
    for (const socket of this.#sockets) socket.destroy();
    this.#parser.close();
    await this.#tasks.idle();
  }

  #makeParser(): Server {
    const { headerMs, requestMs, idleMs } = this.#times;
    const parser = new Server({
      headersTimeout: Math.min(headerMs, requestMs),
      requestTimeout: requestMs,
      keepAliveTimeout: idleMs,
      connectionsCheckingInterval: Math.min(CHECK_INTERVAL_MS, headerMs, requestMs),
      maxHeaderSize: MAX_HEADER_BYTES,
    }, (message, out) => this.#tasks.run(() => this.#takeTurn(message, out)));
    // It closes connections after each answer unless it listens itself.
    Object.defineProperty(parser, "listening", { value: true });
    parser.maxHeadersCount = MAX_HEADERS;
    parser.on("clientError", (error, socket) => refuse(socket as HttpSocket, errorCode(error)));
    parser.emit("listening"); // starts the check for overdue requests
    return parser;
  }

  #admit(conn: Conn): void {
    const { address } = conn.remote;
    const client = conn.remote.port === 0 ? "" : address;
    if (this.#stopping || !this.#count.enter(client)) return conn.close();
    const { tls } = this.#options;
    if (tls === undefined) return this.#open(conn, client);
    this.#conns.add(conn);
    this.#tasks.run(async () => {
      try {
        const upgrade = {
          role: "server",
          context: tls,
          timeoutMs: this.#times.handshakeMs,
        } as const;
        const secure = await conn.upgradeToTls(upgrade);
        if (this.#stopping) secure.close();
        this.#open(secure, client);
      } catch {
        this.#count.leave(client); // a handshake that fails is the client's affair
      } finally {
        this.#conns.delete(conn);
      }
    });
  }

  #open(conn: Conn, client: string): void {
    const socket = new HttpSocket(conn, { writeTimeoutMs: this.#times.writeMs });
    this.#sockets.add(socket);
    socket.on("error", () => {}); // the parser hears of it, too
    socket.on("close", () => {
      this.#sockets.delete(socket);
      this.#count.leave(client);
    });
    this.#parser.emit("connection", socket);
  }

  /** One request of a connection after the other, however many are sent ahead. */
  async #takeTurn(message: IncomingMessage, out: ServerResponse): Promise<void> {
    const socket = message.socket as unknown as HttpSocket;
    const before = socket.answered;
    const turn = Promise.withResolvers<void>();
    socket.answered = turn.promise;
    socket.requests++;
    out.on("error", () => {}); // the client is gone
    await before;
    try {
      await this.#serve(message, { out, socket });
    } catch {
      socket.destroy(); // the body broke off, and half an answer must not look like a whole one
    } finally {
      socket.requests--;
      turn.resolve();
      if (this.#stopping) socket.destroySoon();
    }
  }

  async #serve(
    message: IncomingMessage,
    { out, socket }: { out: ServerResponse; socket: HttpSocket },
  ): Promise<void> {
    if (out.destroyed || socket.destroyed) return;
    const gone = new AbortController();
    out.once("close", () => {
      if (!out.writableFinished) gone.abort();
    });
    const response = await this.#answer(message, { socket, signal: gone.signal });
    if (this.#stopping) out.setHeader("connection", "close");
    await writeResponse(out, { response, isHead: message.method === "HEAD" });
    // Clients that send the whole of a body before they read a refusal are let do so, in its time.
    if (!message.complete) message.removeAllListeners("data").resume();
  }

  async #answer(
    message: IncomingMessage,
    { socket, signal }: { socket: HttpSocket; signal: AbortSignal },
  ): Promise<Response> {
    const { answer, tls, onError } = this.#options;
    try {
      const scheme = tls === undefined ? "http" : "https";
      return await answer(await toRequest(message, { scheme, signal }), socket);
    } catch (cause) {
      if (cause instanceof HttpRefusal) {
        return new Response(`${cause.message}\n`, {
          status: cause.status,
          headers: { connection: "close" },
        });
      }
      if (!signal.aborted) onError("Cannot answer a request", cause);
      return new Response("Internal error\n", { status: 500 });
    }
  }
}

/** What a client hears whose request cannot be read (RFC 9110 15.5, RFC 6585 section 5). */
const REFUSALS: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: "431 Request Header Fields Too Large",
  ERR_HTTP_REQUEST_TIMEOUT: "408 Request Timeout",
  HPE_CHUNK_EXTENSIONS_OVERFLOW: "413 Content Too Large",
};

function refuse(socket: HttpSocket, code: string): void {
  const isReadable = code.startsWith("HPE_") || code === "ERR_HTTP_REQUEST_TIMEOUT";
  if (!isReadable || !socket.writable) return void socket.destroy();
  const status = REFUSALS[code] ?? "400 Bad Request";
  socket.end(
    `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
    () => socket.destroy(),
  );
}
