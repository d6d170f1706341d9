/**
 * Time as a value that is handed in, so that tests can own it.
 */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** Milliseconds on a scale that never goes back; only differences mean anything. */
  monotonic(): number;
  /** Calls `callback` once after `delayMs`; the returned function cancels it. */
  schedule(delayMs: number, callback: () => void): () => void;
}

/** The machine's clock. Its timers do not keep the process alive by themselves. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  schedule(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};

/** The longest that a timer is trusted before the time of day is looked at again. */
export const LOOK_AGAIN_MS = 30_000;

/**
 * Calls `callback` once when it is `atMs` by the clock; the returned function cancels it. Timers
 * count the time that the machine runs: a clock that is set forward, or a machine that was
 * suspended, makes it no later than `LOOK_AGAIN_MS`.
 */
export function scheduleAt(
  clock: Clock,
  { atMs, callback }: { readonly atMs: number; readonly callback: () => void },
): () => void {
  const delayMs = (): number => Math.min(Math.max(0, atMs - clock.now()), LOOK_AGAIN_MS);
  const look = (): void => {
    if (clock.now() >= atMs) callback();
    else cancel = clock.schedule(delayMs(), look);
  };
  let cancel = clock.schedule(delayMs(), look);
  return () => cancel();
}

/**
 * A time by the clock until which something waits. Where the clock is set back the wait does not
 * become longer than it was meant to be.
 */
export class Until {
  #atMs = 0;
  #setAtMs = 0;

  /** Waits until `atMs`; it is `nowMs`. */
  set(atMs: number, nowMs: number): void {
    this.#atMs = atMs;
    this.#setAtMs = nowMs;
  }

  /** When the wait is over; in the past when it is. */
  at(nowMs: number): number {
    const backMs = Math.max(0, this.#setAtMs - nowMs);
    this.set(this.#atMs - backMs, this.#setAtMs - backMs);
    return this.#atMs;
  }
}

/**
 * Waits `delayMs` on `clock`.
 *
 * @throws the signal's reason when it aborts first.
 */
export function sleep(
  clock: Clock,
  { delayMs, signal }: { delayMs: number; signal?: AbortSignal },
): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = (): void => {
      cancel();
      reject(signal?.reason);
    };
    const cancel = clock.schedule(delayMs, () => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    });
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
