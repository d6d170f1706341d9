import type { Duplex } from "node:stream";
import type { Conn, Endpoint, TlsInfo, TlsUpgrade } from "./conn.ts";
import { connClosed, type ConnError, toConnError } from "./conn_error.ts";

/** What a connection over a stream knows that the stream does not. */
export interface StreamConnOptions {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly tls: TlsInfo | null;
  /** How this connection becomes TLS. */
  readonly upgradeToTls: (conn: Conn, upgrade: TlsUpgrade) => Promise<Conn>;
}

/** The connection over a `node:stream` duplex: a `node:net` or `node:tls` socket. */
export function streamConn(stream: Duplex, options: StreamConnOptions): Conn {
  return new StreamConn(stream, options);
}

interface PendingRead {
  readonly into: Uint8Array;
  readonly resolve: (lengthBytes: number | null) => void;
  readonly reject: (error: ConnError) => void;
}

class StreamConn implements Conn {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly tls: TlsInfo | null;
  readonly #stream: Duplex;
  readonly #upgradeToTls: StreamConnOptions["upgradeToTls"];
  #pending: PendingRead | null = null;
  #failure: ConnError | null = null;
  #ended = false;
  #closed = false;

  constructor(stream: Duplex, { local, remote, tls, upgradeToTls }: StreamConnOptions) {
    this.#stream = stream;
    this.#upgradeToTls = upgradeToTls;
    this.local = local;
    this.remote = remote;
    this.tls = tls;
    stream.on("readable", () => this.#settle());
    stream.on("end", () => {
      this.#ended = true;
      this.#settle();
    });
    stream.on("error", (cause) => {
      this.#failure ??= toConnError(cause, { closed: this.#closed });
      this.#settle();
    });
    stream.on("close", () => {
      if (!this.#ended) this.#failure ??= connClosed();
      this.#settle();
    });
  }

  read(into: Uint8Array): Promise<number | null> {
    return new Promise((resolve, reject) => {
      this.#pending = { into, resolve, reject };
      this.#settle();
    });
  }

  write(data: Uint8Array): Promise<void> {
    if (this.#closed) return Promise.reject(connClosed());
    if (this.#failure !== null) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#stream.write(data, (cause) => {
        if (cause) reject(toConnError(cause, { closed: this.#closed }));
        else resolve();
      });
    });
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.tls === null) this.#stream.destroy();
    else sayGoodbye(this.#stream);
    this.#settle();
  }

  upgradeToTls(upgrade: TlsUpgrade): Promise<Conn> {
    return this.#upgradeToTls(this, upgrade);
  }

  /** Ends the pending read as soon as there is something to tell it. */
  #settle(): void {
    const pending = this.#pending;
    if (pending === null) return;
    if (this.#closed) return this.#end(() => pending.reject(connClosed()));
    const lengthBytes = this.#take(pending.into);
    if (lengthBytes > 0) return this.#end(() => pending.resolve(lengthBytes));
    if (this.#ended) return this.#end(() => pending.resolve(null));
    const failure = this.#failure;
    if (failure !== null) this.#end(() => pending.reject(failure));
  }

  #end(settle: () => void): void {
    this.#pending = null;
    settle();
  }

  /** Moves what the stream has buffered to `into`. */
  #take(into: Uint8Array): number {
    const lengthBytes = Math.min(this.#stream.readableLength, into.length);
    const chunk: Uint8Array | null = this.#stream.read(lengthBytes);
    if (chunk === null) return 0;
    into.set(chunk);
    return chunk.length;
  }
}

const GOODBYE_LIMIT_MS = 1000;

/**
 * Closes a TLS stream after its close_notify (RFC 8446 section 6.1), without which the peer must
 * suspect that somebody cut the connection. A peer that does not take it is not waited for.
 */
function sayGoodbye(stream: Duplex): void {
  const timer = setTimeout(() => stream.destroy(), GOODBYE_LIMIT_MS);
  stream.once("close", () => clearTimeout(timer));
  stream.end(() => stream.destroy());
}
