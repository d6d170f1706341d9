import { counted, EMPTY_WINDOW, rateOf, type RateWindow } from "../rate_window.ts";

/** What is counted of a client. */
export type UsageKind =
  | "connections"
  | "commands"
  | "errors"
  | "messages"
  | "recipients"
  | "bytes";

/** So many within so long. */
export interface Rate {
  readonly limit: number;
  readonly perMs: number;
}

/** What is limited; a kind that is missing is not. */
export type RateLimits = { readonly [Kind in UsageKind]?: Rate };

/** What somebody did, and when. */
export interface Use {
  readonly kind: UsageKind;
  readonly nowMs: number;
  /** 1 where not given. */
  readonly amount?: number;
}

type Usage = { [Kind in UsageKind]?: RateWindow };

/**
 * Counts what clients do. It remembers so many of them at the most: whoever did something last
 * takes the place of whoever did nothing for longest.
 */
export class UsageTable {
  readonly #usage = new Map<string, Usage>();
  readonly #maxKeys: number;

  constructor({ maxKeys }: { maxKeys: number }) {
    this.#maxKeys = maxKeys;
  }

  /** Of how many clients something is remembered. */
  get size(): number {
    return this.#usage.size;
  }

  /** Whether one more would be over the limit. */
  isFull(key: string, { kind, nowMs }: Use, { limit, perMs }: Rate): boolean {
    const window = this.#usage.get(key)?.[kind];
    return rateOf(window ?? EMPTY_WINDOW, { nowMs, perMs }) + 1 > limit;
  }

  /** Counts what was done. */
  add(key: string, { kind, nowMs, amount = 1 }: Use, { perMs }: Rate): void {
    const usage = this.#usage.get(key) ?? {};
    usage[kind] = counted(usage[kind] ?? EMPTY_WINDOW, { nowMs, perMs, amount });
    this.#usage.delete(key); // and in again, as the youngest
    this.#usage.set(key, usage);
    if (this.#usage.size > this.#maxKeys) this.#forgetOldest();
  }

  #forgetOldest(): void {
    for (const oldest of this.#usage.keys()) {
      this.#usage.delete(oldest);
      return;
    }
  }
}
