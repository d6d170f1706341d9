import { Buffer } from "node:buffer";

const READ_SIZE_BYTES = 64 * 1024;

/** Octets read from a connection and not used yet. */
export class ByteBuffer {
  #bytes = Buffer.allocUnsafe(2 * READ_SIZE_BYTES);
  #start = 0;
  #end = 0;

  /** How many octets wait. */
  get length(): number {
    return this.#end - this.#start;
  }

  /** Reads once from `conn`; false at its end. */
  async fill(conn: { read(into: Uint8Array): Promise<number | null> }): Promise<boolean> {
    this.#makeRoom();
    const count = await conn.read(this.#bytes.subarray(this.#end, this.#end + READ_SIZE_BYTES));
    this.#end += count ?? 0;
    return count !== null;
  }

  /** Where `pattern` stands at or after `from`, counted from the first waiting octet; or -1. */
  indexOf(pattern: Uint8Array, from = 0): number {
    return this.#bytes.subarray(this.#start, this.#end).indexOf(pattern, from);
  }

  /** Takes the next octets, as a copy. */
  take(count: number): Uint8Array<ArrayBuffer> {
    const taken = Uint8Array.from(this.#bytes.subarray(this.#start, this.#start + count));
    this.#start += count;
    return taken;
  }

  /** Takes the next octets as text, one octet a character. */
  takeText(count: number): string {
    const text = this.#bytes.toString("latin1", this.#start, this.#start + count);
    this.#start += count;
    return text;
  }

  #makeRoom(): void {
    if (this.#bytes.length - this.#end >= READ_SIZE_BYTES) return;
    const waiting = this.#bytes.subarray(this.#start, this.#end);
    if (waiting.length > this.#bytes.length / 2) {
      const larger = Buffer.allocUnsafe(this.#bytes.length * 2);
      larger.set(waiting);
      this.#bytes = larger;
    } else {
      this.#bytes.copyWithin(0, this.#start, this.#end);
    }
    this.#end = waiting.length;
    this.#start = 0;
  }
}
