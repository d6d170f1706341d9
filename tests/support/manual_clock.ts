import type { Clock } from "../../src/base/clock.ts";

interface Timer {
  readonly atMs: number;
  readonly callback: () => void;
}

/** A clock that stands still until a test moves it; its time of day can be set like a machine's. */
export class ManualClock implements Clock {
  /** The monotonic time; timers count in it. */
  #nowMs: number;
  #setByMs = 0;
  readonly #timers = new Set<Timer>();

  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#nowMs = startMs;
  }

  now(): number {
    return this.#nowMs + this.#setByMs;
  }

  monotonic(): number {
    return this.#nowMs;
  }

  schedule(delayMs: number, callback: () => void): () => void {
    const timer = { atMs: this.#nowMs + delayMs, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Sets the time of day on, or back where `byMs` is negative; no timer notices. */
  set(byMs: number): void {
    this.#setByMs += byMs;
  }

  /** The time of the earliest timer; null when none is set. */
  get nextTimerAtMs(): number | null {
    let earliest: number | null = null;
    for (const { atMs } of this.#timers) earliest = Math.min(earliest ?? Infinity, atMs);
    return earliest === null ? null : earliest + this.#setByMs;
  }

  /** How many timers are set. */
  get timers(): number {
    return this.#timers.size;
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
