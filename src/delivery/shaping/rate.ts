/** At most `count` messages in any span of `perMs` milliseconds. */
export interface RateLimit {
  readonly count: number;
  readonly perMs: number;
}

/** The share of a short span's time whose messages may leave together. */
const BURST_MS = 50;
/** From here on a span is long: nobody wants one message to wait hours behind another. */
const LONG_MS = 3_600_000;
/** The share of a long span's messages that may leave together. */
const LONG_BURST = 0.1;

/** Parts of a millisecond that add up without rounding, to times of day as well. */
const TICKS = 1_024;

/** Whether what such a rate counted has to outlive the process, as a day's messages have to. */
export function isLong({ perMs }: RateLimit): boolean {
  return perMs >= LONG_MS;
}

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
    const share = isLong(limit) ? LONG_BURST : BURST_MS / perMs;
    const burst = Math.max(1, Math.floor(count * share));
    this.limit = limit;
    const intervalMs = perMs / (count - burst + 1);
    this.intervalMs = Math.ceil(intervalMs * TICKS) / TICKS;
    this.#burstMs = this.intervalMs * (burst - 1);
  }

  /** When the next message may leave; in the past when it may now. */
  readyAtMs(nowMs: number): number {
    this.#keepToNow(nowMs);
    return this.#fullAtMs - this.#burstMs;
  }

  /** The same for the message behind `ahead` others that leave as soon as they may. */
  readyBehindMs(nowMs: number, ahead: number): number {
    this.#keepToNow(nowMs);
    return Math.max(this.#fullAtMs, nowMs) + ahead * this.intervalMs - this.#burstMs;
  }

  /** When nothing of what left will matter any more. */
  get fullAtMs(): number {
    return this.#fullAtMs;
  }

  /** Takes up `fullAtMs` of a rate over the same span. */
  restore(fullAtMs: number, nowMs: number): void {
    this.#fullAtMs = Math.max(this.#fullAtMs, fullAtMs);
    this.#keepToNow(nowMs); // the other may have allowed less
  }

  /** A message leaves. */
  take(nowMs: number): void {
    this.#fullAtMs = Math.max(this.#fullAtMs, nowMs) + this.intervalMs;
  }

  /** Whether nothing of what left matters any more. */
  isFull(nowMs: number): boolean {
    return this.#fullAtMs <= nowMs;
  }

  /** Nothing that may have left counts for longer; the clock may have been set back. */
  #keepToNow(nowMs: number): void {
    this.#fullAtMs = Math.min(this.#fullAtMs, nowMs + this.#burstMs + this.intervalMs);
  }
}
