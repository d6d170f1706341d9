import type { CallName } from "./protocol.ts";

/** Who waits for the result of a call. */
export interface Waiter {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** Calls that travel, and are committed, together. */
export class Batch {
  readonly calls: [CallName, unknown][] = [];
  readonly waiters: Waiter[] = [];
  #buffer: Uint8Array<ArrayBuffer>;
  #lengthBytes = 0;

  constructor(buffer: ArrayBuffer) {
    this.#buffer = new Uint8Array(buffer);
  }

  get lengthBytes(): number {
    return this.#lengthBytes;
  }

  /** The octets of all calls; it may be longer than they are. */
  get buffer(): ArrayBuffer {
    return this.#buffer.buffer;
  }

  /** Copies octets into the buffer and returns where they begin. */
  attach(bytes: Uint8Array): number {
    const start = this.#lengthBytes;
    const endBytes = start + bytes.length;
    if (endBytes > this.#buffer.length) this.#grow(endBytes);
    this.#buffer.set(bytes, start);
    this.#lengthBytes = endBytes;
    return start;
  }

  #grow(leastBytes: number): void {
    const larger = new Uint8Array(Math.max(leastBytes, this.#buffer.length * 2));
    larger.set(this.#buffer.subarray(0, this.#lengthBytes));
    this.#buffer = larger;
  }
}
