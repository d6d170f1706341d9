/** At most `count` messages in any span of `perMs` milliseconds. */
export interface RateLimit {
  readonly count: number;
  readonly perMs: number;
}

/** The share of a span's time whose messages may leave together. */
const BURST_MS = 50;

/**
 * A token bucket, kept as the one time at which it would be full again (the generic cell rate
 * algorithm of ITU-T I.371). It spreads messages over the span, and a span holds no more than
 * its count, bursts included: the bucket refills slower by as much as it may hold.
 */
export class Rate {
  readonly limit: RateLimit;
  /** Between two messages when they leave evenly. */
  readonly intervalMs: number;
  readonly #burstMs: number;
  #fullAtMs = 0;

  constructor(limit: RateLimit) {
    const { count, perMs } = limit;
    const burst = Math.max(1, Math.floor((count * BURST_MS) / perMs));
    this.limit = limit;
    this.intervalMs = perMs / (count - burst + 1);
    this.#burstMs = this.intervalMs * (burst - 1);
  }

  /** When the next message may leave; in the past when it may now. */
  get readyAtMs(): number {
    return this.#fullAtMs - this.#burstMs;
  }

  /** A message leaves. */
  take(nowMs: number): void {
    this.#fullAtMs = Math.max(this.#fullAtMs, nowMs) + this.intervalMs;
  }

  /** Whether nothing of what left matters any more. */
  isFull(nowMs: number): boolean {
    return this.#fullAtMs <= nowMs;
  }
}
