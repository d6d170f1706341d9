import type { Clock } from "./clock.ts";

/**
 * A time limit that its owner moves as often as it likes; moving it costs no look at the clock.
 */
export interface Deadline {
  /** Moves it to `delayMs` from now. */
  set(delayMs: number): void;
  /** Stops it until the next `set`. */
  clear(): void;
  /** Ends it permanently; every deadline needs this once. */
  dispose(): void;
}

/**
 * Many time limits on one timer. It suits limits of seconds and minutes on thousands of
 * connections, where a timer for each would cost more than the connection does. Time is counted in
 * ticks of the timer: a deadline never fires early, and at most two ticks late.
 */
export class Deadlines implements Disposable {
  readonly #clock: Clock;
  readonly #granularityMs: number;
  readonly #entries = new Set<Entry>();
  #ticks = 0;
  #cancelTick: (() => void) | null = null;

  constructor({ clock, granularityMs = 500 }: { clock: Clock; granularityMs?: number }) {
    this.#clock = clock;
    this.#granularityMs = granularityMs;
  }

  /**
   * Milliseconds on a scale of its own, for differences while there is a deadline: they are up to
   * a tick too small or too large.
   */
  get elapsedMs(): number {
    return this.#ticks * this.#granularityMs;
  }

  /** Adds a deadline, not running yet, that calls `onExpire` each time it passes. */
  add(onExpire: () => void): Deadline {
    const entry = new Entry(this, onExpire);
    this.#entries.add(entry);
    if (this.#cancelTick === null) this.#scheduleTick();
    return entry;
  }

  /** The tick by which `delayMs` are surely over: the one under way may be about to end. */
  tickAfter(delayMs: number): number {
    return this.#ticks + Math.ceil(delayMs / this.#granularityMs) + 1;
  }

  /** Takes a deadline out. */
  remove(entry: Deadline): void {
    this.#entries.delete(entry as Entry);
  }

  [Symbol.dispose](): void {
    this.#entries.clear();
    this.#cancelTick?.();
    this.#cancelTick = null;
  }

  #scheduleTick(): void {
    this.#cancelTick = this.#clock.schedule(this.#granularityMs, () => this.#tick());
  }

  #tick(): void {
    const ticks = ++this.#ticks;
    for (const entry of this.#entries) entry.expireAt(ticks);
    if (this.#entries.size > 0) this.#scheduleTick();
    else this.#cancelTick = null;
  }
}

class Entry implements Deadline {
  readonly #deadlines: Deadlines;
  readonly #onExpire: () => void;
  #atTick = Infinity;

  constructor(deadlines: Deadlines, onExpire: () => void) {
    this.#deadlines = deadlines;
    this.#onExpire = onExpire;
  }

  set(delayMs: number): void {
    this.#atTick = this.#deadlines.tickAfter(delayMs);
  }

  clear(): void {
    this.#atTick = Infinity;
  }

  dispose(): void {
    this.#atTick = Infinity;
    this.#deadlines.remove(this);
  }

  expireAt(tick: number): void {
    if (tick < this.#atTick) return;
    this.#atTick = Infinity;
    this.#onExpire();
  }
}
