import { Duplex } from "node:stream";
import { setImmediate } from "node:timers";
import type { Conn } from "./conn.ts";

const FIRST_BUFFER_BYTES = 512;
const LARGEST_BUFFER_BYTES = 65536;

/**
 * A connection as the `node:stream` duplex that `node:tls` wants below it. The read buffer starts
 * small, because most connections are idle, and grows with the traffic.
 */
export class ConnDuplex extends Duplex {
  readonly #conn: Conn;
  #ahead: Uint8Array | null;
  readonly #firstBufferBytes: number;
  #hasStarted = false;
  #buffer: Uint8Array<ArrayBuffer>;

  /** `ahead` was read from the connection before and comes first. */
  constructor(
    conn: Conn,
    { ahead = null, firstBufferBytes = FIRST_BUFFER_BYTES }: {
      ahead?: Uint8Array | null;
      firstBufferBytes?: number;
    } = {},
  ) {
    super();
    this.#conn = conn;
    this.#ahead = ahead;
    this.#firstBufferBytes = firstBufferBytes;
    this.#buffer = new Uint8Array(firstBufferBytes);
  }

  override _read(): void {
    if (this.#hasStarted) return this.#readOnce();
    // Not at once: node:tls starts in the next tick, and throws outside of every promise when the
    // first octets have broken the handshake before that.
    this.#hasStarted = true;
    setImmediate(() => this.#readOnce());
  }

  override _write(
    chunk: Uint8Array,
    _encoding: string,
    callback: (error?: Error | null) => void,
  ): void {
    // Inside TLS, a write of nothing would never end.
    if (chunk.length === 0) return callback();
    this.#conn.write(chunk).then(() => callback(), callback);
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#conn.close();
    callback(error);
  }

  #readOnce(): void {
    const ahead = this.#ahead;
    this.#ahead = null;
    if (ahead !== null) return void this.push(ahead);
    this.#conn.read(this.#buffer).then(
      (lengthBytes) => this.push(lengthBytes === null ? null : this.#takeRead(lengthBytes)),
      (error) => this.destroy(error),
    );
  }

  /** The octets read, in memory that the stream may keep. */
  #takeRead(lengthBytes: number): Uint8Array {
    const buffer = this.#buffer;
    if (lengthBytes < buffer.length / 2) {
      const first = this.#firstBufferBytes;
      if (buffer.length > first) this.#buffer = new Uint8Array(first);
      return buffer.slice(0, lengthBytes);
    }
    const isFull = lengthBytes === buffer.length;
    const nextBytes = isFull ? Math.min(buffer.length * 4, LARGEST_BUFFER_BYTES) : buffer.length;
    this.#buffer = new Uint8Array(nextBytes);
    return buffer.subarray(0, lengthBytes);
  }
}
