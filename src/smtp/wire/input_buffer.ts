import { type BufferPool, IDLE_SIZE, POOLED_SIZES, type PooledSize } from "./buffer_pool.ts";

const NOTHING = new Uint8Array(0);

/**
 * The octets of one connection that arrived and are not used yet. It starts with 512 octets of
 * room, borrows more when a read fills what it has, and gives that back when asked to rest.
 */
export class InputBuffer {
  readonly #pool: BufferPool;
  #bytes: Uint8Array;
  #start = 0;
  #end = 0;
  #wantsRoom = false;

  constructor(pool: BufferPool) {
    this.#pool = pool;
    this.#bytes = pool.take(IDLE_SIZE);
  }

  /** How many octets wait. */
  get length(): number {
    return this.#end - this.#start;
  }

  /** The octets that wait, valid until the next `room` or `rest`. */
  peek(): Uint8Array {
    return this.#bytes.subarray(this.#start, this.#end);
  }

  /** Where `octet` stands among the waiting octets, at or after `from`; -1 if nowhere. */
  indexOf(octet: number, from: number): number {
    const at = this.#bytes.indexOf(octet, this.#start + from);
    return at < 0 || at >= this.#end ? -1 : at - this.#start;
  }

  /** Takes the next `count` octets as used. */
  consume(count: number): void {
    this.#start += count;
  }

  /** Throws away what waits, as STARTTLS demands (RFC 3207 section 4.2). */
  clear(): void {
    this.#start = this.#end;
  }

  /** Gives room back where nothing waits in it. Call before a wait for a command. */
  rest(): void {
    if (this.length > 0 || this.#bytes.length === IDLE_SIZE) return;
    this.#moveTo(IDLE_SIZE);
  }

  /** Gives all room back. No read may be pending, and the buffer is of no use any more. */
  release(): void {
    this.#pool.give(this.#bytes);
    this.#bytes = NOTHING;
    this.#start = this.#end = 0;
  }

  /** Makes sure that much can be read at once. Call before a message. */
  expectMuch(): void {
    if (this.#bytes.length === IDLE_SIZE) this.#moveTo(POOLED_SIZES[0]);
  }

  /**
   * The room for the next read, after which `filled` is due. Empty only when the largest buffer
   * is full, which the reader of lines prevents by its limit.
   */
  room(): Uint8Array {
    this.#makeRoom();
    return this.#end === 0 ? this.#bytes : this.#bytes.subarray(this.#end); // a view costs 100 octets
  }

  /** Takes note of how many octets were read into the room. */
  filled(count: number): void {
    this.#end += count;
    this.#wantsRoom = this.#end === this.#bytes.length;
  }

  #makeRoom(): void {
    const larger = this.#wantsRoom ? sizeAbove(this.#bytes.length) : null;
    if (larger !== null) return this.#moveTo(larger);
    if (this.#start === 0) return;
    this.#bytes.copyWithin(0, this.#start, this.#end);
    this.#end -= this.#start;
    this.#start = 0;
  }

  #moveTo(size: typeof IDLE_SIZE | PooledSize): void {
    const next = this.#pool.take(size);
    next.set(this.peek());
    this.#pool.give(this.#bytes);
    this.#bytes = next;
    this.#end -= this.#start;
    this.#start = 0;
    this.#wantsRoom = false;
  }
}

function sizeAbove(size: number): PooledSize | null {
  return POOLED_SIZES.find((candidate) => candidate > size) ?? null;
}
