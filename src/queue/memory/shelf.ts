import type { Clock } from "../../base/clock.ts";
import { foldAscii } from "../mailbox.ts";
import type { Shelf, ShelfEntry, ShelfListRequest } from "../shelf.ts";

/** Runs one call, or rejects when the store is closed. */
export type Run = <T>(call: () => T) => Promise<T>;

/** Small records in memory. */
export class MemoryShelf implements Shelf {
  readonly #spaces = new Map<string, Map<string, ShelfEntry>>();
  readonly #clock: Clock;
  readonly #run: Run;

  constructor({ clock, run }: { clock: Clock; run: Run }) {
    this.#clock = clock;
    this.#run = run;
  }

  get(space: string, key: string): Promise<ShelfEntry | null> {
    return this.#run(() => this.find(space, key));
  }

  put(space: string, entry: ShelfEntry): Promise<void> {
    return this.#run(() => this.set(space, entry));
  }

  claim(space: string, entry: ShelfEntry): Promise<ShelfEntry | null> {
    return this.#run(() => {
      const known = this.find(space, entry.key);
      if (known === null) this.set(space, entry);
      return known;
    });
  }

  delete(space: string, key: string): Promise<boolean> {
    return this.#run(() => {
      const isThere = this.find(space, key) !== null;
      this.#space(space).delete(key);
      return isThere;
    });
  }

  list({ space, text = "", after, limit }: ShelfListRequest): Promise<readonly ShelfEntry[]> {
    return this.#run(() =>
      [...this.#space(space).values()]
        .filter((entry) =>
          !this.#isOver(entry) && (after === undefined || entry.key > after) &&
          foldAscii(entry.key).includes(foldAscii(text))
        )
        .sort((a, b) => a.key < b.key ? -1 : 1)
        .slice(0, limit)
    );
  }

  purge(limit: number): Promise<number> {
    return this.#run(() => {
      let count = 0;
      for (const entries of this.#spaces.values()) {
        for (const [key, entry] of entries) {
          if (count >= limit) return count;
          if (!this.#isOver(entry)) continue;
          entries.delete(key);
          count += 1;
        }
      }
      return count;
    });
  }

  /** As `get`, for calls of the store that have begun. */
  find(space: string, key: string): ShelfEntry | null {
    const entry = this.#space(space).get(key);
    return entry === undefined || this.#isOver(entry) ? null : entry;
  }

  /** As `put`, for calls of the store that have begun. */
  set(space: string, { key, value, expiresAtMs }: ShelfEntry): void {
    this.#space(space).set(key, { key, value, expiresAtMs });
  }

  #space(name: string): Map<string, ShelfEntry> {
    const known = this.#spaces.get(name);
    if (known !== undefined) return known;
    const made = new Map<string, ShelfEntry>();
    this.#spaces.set(name, made);
    return made;
  }

  #isOver({ expiresAtMs }: ShelfEntry): boolean {
    return expiresAtMs !== null && expiresAtMs <= this.#clock.now();
  }
}
