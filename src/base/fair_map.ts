/**
 * A bounded map that forgets, when it is full, the entry that weighs least, and of several of those
 * the one that was set longest ago. So many light entries never push out a heavy one.
 */
export class FairMap<Key, Value> {
  readonly #limit: number;
  readonly #weigh: (value: Value) => number;
  /** By the order of magnitude of what they weigh. */
  readonly #classes: Map<Key, Value>[] = [];
  /** Where each class is looked through: from its start, a map would pass over all that is gone. */
  readonly #oldest: MapIterator<Key>[] = [];
  readonly #classOf = new Map<Key, number>();

  /** `weigh` gives a number that is not negative; it is asked when an entry is set. */
  constructor({ limit, weigh }: { limit: number; weigh: (value: Value) => number }) {
    this.#limit = limit;
    this.#weigh = weigh;
  }

  get size(): number {
    return this.#classOf.size;
  }

  get(key: Key): Value | undefined {
    const found = this.#classOf.get(key);
    return found === undefined ? undefined : this.#classes[found]?.get(key);
  }

  /** Sets an entry and makes it the youngest of those that weigh as much. */
  set(key: Key, value: Value): void {
    this.delete(key);
    if (this.#classOf.size >= this.#limit) this.#forgetOne();
    const number = Math.min(31, Math.floor(Math.log2(1 + this.#weigh(value))));
    const entries = this.#classes[number] ??= new Map();
    entries.set(key, value);
    this.#classOf.set(key, number);
  }

  delete(key: Key): void {
    const found = this.#classOf.get(key);
    if (found === undefined) return;
    this.#classes[found]?.delete(key);
    this.#classOf.delete(key);
  }

  #forgetOne(): void {
    for (const [number, entries] of this.#classes.entries()) {
      if (entries === undefined || entries.size === 0) continue;
      let next = this.#oldest[number]?.next();
      if (next === undefined || next.done) {
        next = (this.#oldest[number] = entries.keys()).next();
      }
      if (!next.done) return this.delete(next.value);
    }
  }
}
