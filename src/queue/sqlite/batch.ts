import type { StoreError } from "../store.ts";
import type { Attach } from "./pack.ts";
import type { CallName, Calls } from "./protocol.ts";

/** Makes the arguments of a call; it gets the means to send octets along. */
export type Pack<Name extends CallName> = (attach: Attach) => Calls[Name]["args"];

/** Who waits for the result of a call. */
export interface Waiter {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** A call that can be made once more. */
export interface Call {
  readonly name: CallName;
  readonly pack: (attach: Attach) => unknown;
  readonly waiter: Waiter;
}

/** Calls that travel, and are committed, together. */
export class Batch {
  /** Whether they were made before, of a worker that died and may have done them. */
  readonly isAgain: boolean;
  /** Names and arguments. */
  readonly packed: [CallName, unknown][] = [];
  readonly #calls: Call[] = [];
  #buffer: Uint8Array<ArrayBuffer>;
  #lengthBytes = 0;

  constructor(buffer: ArrayBuffer, { isAgain = false }: { isAgain?: boolean } = {}) {
    this.#buffer = new Uint8Array(buffer);
    this.isAgain = isAgain;
  }

  get calls(): readonly Call[] {
    return this.#calls;
  }

  get lengthBytes(): number {
    return this.#lengthBytes;
  }

  /** The octets of all calls; it may be longer than they are. */
  get buffer(): ArrayBuffer {
    return this.#buffer.buffer;
  }

  add(call: Call): void {
    this.packed.push([call.name, call.pack((bytes) => this.#attach(bytes))]);
    this.#calls.push(call);
  }

  /** Fails all calls. */
  reject(error: StoreError): void {
    for (const { waiter } of this.#calls) waiter.reject(error);
  }

  /** Copies octets into the buffer and returns where they begin. */
  #attach(bytes: Uint8Array): number {
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
