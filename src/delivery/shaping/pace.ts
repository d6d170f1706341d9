/** What a destination taught about how fast it takes mail. */
export interface LearnedPace {
  /** Attempts in a minute. */
  readonly perMinute: number;
  readonly sinceMs: number;
  /** What it answered. */
  readonly reason: string;
}

/** How long a pace is kept before it is tried whether a faster one is taken. */
const STEP_MS = 30_000;
const FASTER = 1.25;
const SLOWEST_PER_MS = 1 / 60_000;

/**
 * A pace learnt from answers that ask for less: half of what it was with each of them, then a
 * quarter more every half minute, and forgotten when it is twice what it was at the first.
 */
export class Pace {
  #perMs = Infinity;
  #forgetAtPerMs = Infinity;
  #changedAtMs = -Infinity;
  #nextAtMs = 0;
  #sinceMs = 0;
  #reason = "";

  /** Whether it holds anything back. */
  isActive(nowMs: number): boolean {
    this.#recover(nowMs);
    return this.#perMs !== Infinity;
  }

  /**
   * An attempt that began at `startedAtMs` was answered with the wish for less.
   *
   * @param observedPerMs how fast attempts have been made of late.
   */
  slowDown(
    { nowMs, startedAtMs, observedPerMs, reason }: {
      nowMs: number;
      startedAtMs: number;
      observedPerMs: number;
      reason: string;
    },
  ): void {
    this.#recover(nowMs);
    if (startedAtMs < this.#changedAtMs) return; // it began before the last lesson
    const isFirst = this.#perMs === Infinity;
    const perMs = Math.min(this.#perMs, observedPerMs);
    if (isFirst) {
      this.#forgetAtPerMs = 2 * perMs;
      this.#sinceMs = nowMs;
    }
    this.#perMs = Math.max(perMs / 2, SLOWEST_PER_MS);
    this.#changedAtMs = nowMs;
    this.#nextAtMs = nowMs + 1 / this.#perMs;
    this.#reason = reason;
  }

  readyAtMs(nowMs: number): number {
    return this.isActive(nowMs) ? this.#nextAtMs : 0;
  }

  intervalMs(nowMs: number): number {
    return this.isActive(nowMs) ? 1 / this.#perMs : 0;
  }

  begin(nowMs: number): void {
    if (this.isActive(nowMs)) this.#nextAtMs = Math.max(this.#nextAtMs, nowMs) + 1 / this.#perMs;
  }

  /** What is known; null when nothing is. */
  learned(nowMs: number): LearnedPace | null {
    if (!this.isActive(nowMs)) return null;
    return { perMinute: this.#perMs * 60_000, sinceMs: this.#sinceMs, reason: this.#reason };
  }

  #recover(nowMs: number): void {
    if (this.#perMs === Infinity) return;
    this.#keepToNow(nowMs);
    const steps = Math.floor((nowMs - this.#changedAtMs) / STEP_MS);
    if (steps <= 0) return;
    this.#perMs *= FASTER ** steps;
    this.#changedAtMs += steps * STEP_MS;
    if (this.#perMs >= this.#forgetAtPerMs) this.#perMs = Infinity;
  }

  /** The clock may have been set back. */
  #keepToNow(nowMs: number): void {
    this.#changedAtMs = Math.min(this.#changedAtMs, nowMs);
    this.#nextAtMs = Math.min(this.#nextAtMs, nowMs + 1 / this.#perMs);
  }
}
