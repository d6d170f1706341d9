import { Buffer } from "node:buffer";
import type { Conn, Endpoint } from "../conn.ts";
import { ConnDuplex } from "../conn_duplex.ts";

/** Most requests fit, and few connections are idle. */
const READ_BUFFER_BYTES = 8192;

/**
 * A connection as the socket that `node:http` wants: it has the timer that ends idle connections,
 * and it does not wait for ever for a client that takes no answer.
 */
export class HttpSocket extends ConnDuplex {
  readonly remote: Endpoint;
  readonly isUnix: boolean;
  /** Requests that are not answered yet. */
  requests = 0;
  /** Resolves when the answers to all requests so far are written. */
  answered: Promise<void> = Promise.resolve();
  readonly #writeTimeoutMs: number;
  #idleTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(conn: Conn, { writeTimeoutMs }: { writeTimeoutMs: number }) {
    super(conn, { firstBufferBytes: READ_BUFFER_BYTES });
    this.remote = conn.remote;
    this.isUnix = conn.remote.port === 0;
    this.#writeTimeoutMs = writeTimeoutMs;
  }

  /** As `net.Socket` has it; 0 for never. */
  setTimeout(delayMs: number): this {
    clearTimeout(this.#idleTimer);
    this.#idleTimer = delayMs > 0 ? setTimeout(() => this.emit("timeout"), delayMs) : undefined;
    return this;
  }

  /** The connection below does so always. */
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

  /** Closes it once what is written has left. */
  destroySoon(): void {
    this.end(() => this.destroy());
  }

  override _write(
    chunk: Uint8Array,
    encoding: string,
    callback: (error?: Error | null) => void,
  ): void {
    const timer = setTimeout(() => this.destroy(), this.#writeTimeoutMs);
    super._write(chunk, encoding, (error) => {
      clearTimeout(timer);
      callback(error);
    });
  }

  /** A header and its body leave in one packet. */
  override _writev(
    chunks: { chunk: Uint8Array; encoding: string }[],
    callback: (error?: Error | null) => void,
  ): void {
    this._write(Buffer.concat(chunks.map(({ chunk }) => chunk)), "", callback);
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    clearTimeout(this.#idleTimer);
    super._destroy(error, callback);
  }
}
