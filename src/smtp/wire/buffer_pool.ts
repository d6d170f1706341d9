/** Size in octets of what an idle session holds. */
export const IDLE_SIZE = 512;

/** Sizes in octets of the buffers a pool lends while octets flow. */
export const POOLED_SIZES = [8192, 65_536] as const;
export type PooledSize = typeof POOLED_SIZES[number];

const SLAB_SIZE = 65_536;

/**
 * Buffers that sessions borrow while octets flow and give back when they wait, so that what a
 * thousand idle sessions hold does not depend on what they once sent. The small ones are cut from
 * slabs: an ArrayBuffer of its own costs more than its 512 octets.
 */
export class BufferPool {
  readonly #idle: Uint8Array[] = [];
  readonly #free = new Map<number, Uint8Array[]>(POOLED_SIZES.map((size) => [size, []]));
  readonly #keep: number;

  /** `keep` is how many free buffers of each pooled size are held for the next borrower. */
  constructor({ keep = 32 }: { keep?: number } = {}) {
    this.#keep = keep;
  }

  /** Lends a buffer of exactly `size` octets; what it holds means nothing. */
  take(size: typeof IDLE_SIZE | PooledSize): Uint8Array {
    if (size === IDLE_SIZE) return this.#takeIdle();
    return this.#free.get(size)?.pop() ?? new Uint8Array(size);
  }

  /** Takes a buffer back; the borrower must not touch it again, nor a read of its. */
  give(buffer: Uint8Array): void {
    if (buffer.length === IDLE_SIZE) this.#idle.push(buffer);
    const free = this.#free.get(buffer.length);
    if (free !== undefined && free.length < this.#keep) free.push(buffer);
  }

  #takeIdle(): Uint8Array {
    const buffer = this.#idle.pop();
    if (buffer !== undefined) return buffer;
    const slab = new Uint8Array(SLAB_SIZE);
    for (let at = IDLE_SIZE; at < SLAB_SIZE; at += IDLE_SIZE) {
      this.#idle.push(slab.subarray(at, at + IDLE_SIZE));
    }
    return slab.subarray(0, IDLE_SIZE);
  }
}
