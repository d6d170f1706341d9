import type { Clock } from "./clock.ts";

/**
 * A time limit that its owner moves as often as it likes; moving it costs one assignment.
 */
export interface Deadline {
  /** Moves it to `delayMs` from now. */
  set(delayMs: number): void;
  /** Stops it until the next `set`. */
  clear(): void;
  /** Ends it for good; every deadline needs this once. */
  dispose(): void;
}

/**
 * Many time limits on one timer. A deadline fires within `granularityMs` after its time, which
 * suits limits of seconds and minutes on thousands of connections, where a timer for each would
 * cost more than the connection does.
 */
export class Deadlines implements Disposable {
  readonly #clock: Clock;
  readonly #granularityMs: number;
  readonly #entries = new Set<Entry>();
  #cancelTick: (() => void) | null = null;

  constructor({ clock, granularityMs = 500 }: { clock: Clock; granularityMs?: number }) {
    this.#clock = clock;
    this.#granularityMs = granularityMs;
  }

  /** Adds a deadline, not running yet, that calls `onExpire` each time it passes. */
  add(onExpire: () => void): Deadline {
    const entry = new Entry({ clock: this.#clock, entries: this.#entries, onExpire });
    this.#entries.add(entry);
    if (this.#cancelTick === null) this.#scheduleTick();
    return entry;
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
    const nowMs = this.#clock.monotonic();
    for (const entry of this.#entries) entry.expireIfPast(nowMs);
    if (this.#entries.size > 0) this.#scheduleTick();
    else this.#cancelTick = null;
  }
}

class Entry implements Deadline {
  readonly #clock: Clock;
  readonly #entries: Set<Entry>;
  readonly #onExpire: () => void;
  #atMs = Infinity;

  constructor(
    { clock, entries, onExpire }: { clock: Clock; entries: Set<Entry>; onExpire: () => void },
  ) {
    this.#clock = clock;
    this.#entries = entries;
    this.#onExpire = onExpire;
  }

  set(delayMs: number): void {
    this.#atMs = this.#clock.monotonic() + delayMs;
  }

  clear(): void {
    this.#atMs = Infinity;
  }

  dispose(): void {
    this.#atMs = Infinity;
    this.#entries.delete(this);
  }

  expireIfPast(nowMs: number): void {
    if (nowMs < this.#atMs) return;
    this.#atMs = Infinity;
    this.#onExpire();
  }
}
