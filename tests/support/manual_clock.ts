import type { Clock } from "../../src/base/clock.ts";

interface Timer {
  readonly atMs: number;
  readonly callback: () => void;
}

/** A clock that stands still until a test moves it. */
export class ManualClock implements Clock {
  #nowMs: number;
  readonly #timers = new Set<Timer>();

  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#nowMs = startMs;
  }

  now(): number {
    return this.#nowMs;
  }

  monotonic(): number {
    return this.#nowMs;
  }

  schedule(delayMs: number, callback: () => void): () => void {
    const timer = { atMs: this.#nowMs + delayMs, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** The time of the earliest timer; null when none is set. */
  get nextTimerAtMs(): number | null {
    let earliest: number | null = null;
    for (const { atMs } of this.#timers) earliest = Math.min(earliest ?? Infinity, atMs);
    return earliest;
  }

  /**
   * Moves the time on by `byMs`, firing each timer at its own time and letting the work that it
   * started settle before the next.
   */
  async advance(byMs: number): Promise<void> {
    const untilMs = this.#nowMs + byMs;
    for (;;) {
      let next: Timer | null = null;
      for (const timer of this.#timers) {
        if (timer.atMs <= untilMs && (next === null || timer.atMs < next.atMs)) next = timer;
      }
      if (next === null) break;
      this.#timers.delete(next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.callback();
      await settle();
    }
    this.#nowMs = untilMs;
    await settle();
  }
}

/** Lets everything run that is ready, and what that starts. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 100; turn++) await Promise.resolve();
}
