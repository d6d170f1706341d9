/** Sizes in octets of the buffers a pool lends. */
export const POOLED_SIZES = [8192, 65_536] as const;
export type PooledSize = typeof POOLED_SIZES[number];

/**
 * Buffers that sessions borrow while octets flow and give back when they wait, so that what a
 * thousand idle sessions hold does not depend on what they once sent.
 */
export class BufferPool {
  readonly #free = new Map<number, Uint8Array[]>(POOLED_SIZES.map((size) => [size, []]));
  readonly #keep: number;

  /** `keep` is how many free buffers of each size are held for the next borrower. */
  constructor({ keep = 32 }: { keep?: number } = {}) {
    this.#keep = keep;
  }

  /** Lends a buffer of exactly `size` octets; what it holds means nothing. */
  take(size: PooledSize): Uint8Array {
    return this.#free.get(size)?.pop() ?? new Uint8Array(size);
  }

  /** Takes a buffer back; the borrower must not touch it again. */
  give(buffer: Uint8Array): void {
    const free = this.#free.get(buffer.length);
    if (free !== undefined && free.length < this.#keep) free.push(buffer);
  }
}
