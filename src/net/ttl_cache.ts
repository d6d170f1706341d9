import type { Clock } from "../base/clock.ts";

interface Entry<Value> {
  readonly value: Value;
  readonly expiresAtMs: number;
}

/** Values that are good for a while. The least recently used goes when it is full. */
export class TtlCache<Value> {
  readonly #entries = new Map<string, Entry<Value>>();
  readonly #clock: Clock;
  readonly #maxEntries: number;

  constructor({ clock, maxEntries }: { clock: Clock; maxEntries: number }) {
    this.#clock = clock;
    this.#maxEntries = maxEntries;
  }

  /** The value and how long it stays good; null when there is none. */
  get(key: string): { readonly value: Value; readonly ttlMs: number } | null {
    const entry = this.#entries.get(key);
    if (entry === undefined) return null;
    this.#entries.delete(key);
    const ttlMs = entry.expiresAtMs - this.#clock.monotonic();
    if (ttlMs <= 0) return null;
    this.#entries.set(key, entry);
    return { value: entry.value, ttlMs };
  }

  /** Keeps `value` for `ttlMs`, which may be 0: then it is not kept. */
  set(key: string, value: Value, { ttlMs }: { ttlMs: number }): void {
    this.#entries.delete(key);
    if (ttlMs <= 0) return;
    if (this.#entries.size >= this.#maxEntries) this.#dropOldest();
    this.#entries.set(key, { value, expiresAtMs: this.#clock.monotonic() + ttlMs });
  }

  clear(): void {
    this.#entries.clear();
  }

  #dropOldest(): void {
    for (const key of this.#entries.keys()) {
      this.#entries.delete(key);
      return;
    }
  }
}
