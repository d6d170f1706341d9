import { Fifo } from "../base/fifo.ts";

/** How much may be under way. */
export interface GateLimits {
  readonly running: number;
  readonly waiting: number;
  /** Of those that wait, under one key. */
  readonly waitingPerKey: number;
}

/**
 * Lets a few expensive tasks run at once and a bounded number wait, of which one key can have a
 * part only, so that a flood costs neither the processor nor the memory nor others' turn.
 */
export class TaskGate {
  readonly #waiting = new Fifo<{ readonly key: string; readonly start: () => void }>();
  readonly #perKey = new Map<string, number>();
  #limits: GateLimits;
  #running = 0;

  constructor(limits: GateLimits) {
    this.#limits = limits;
  }

  /** Takes other limits for what comes. */
  use(limits: GateLimits): void {
    this.#limits = limits;
  }

  /** Runs `task` in its turn; null, without running it, where too many wait. */
  run<T>(key: string, task: () => Promise<T>): Promise<T> | null {
    if (this.#running < this.#limits.running) {
      this.#running++;
      return this.#finish(task);
    }
    const ofKey = this.#perKey.get(key) ?? 0;
    if (this.#waiting.length >= this.#limits.waiting || ofKey >= this.#limits.waitingPerKey) {
      return null;
    }
    this.#perKey.set(key, ofKey + 1);
    return new Promise<void>((start) => this.#waiting.push({ key, start }))
      .then(() => this.#finish(task));
  }

  async #finish<T>(task: () => Promise<T>): Promise<T> {
    try {
      return await task();
    } finally {
      this.#handOn();
    }
  }

  /** Gives the place of a task that ended to the next one, or frees it. */
  #handOn(): void {
    const next = this.#waiting.shift();
    if (next === undefined) {
      this.#running--;
      return;
    }
    const left = (this.#perKey.get(next.key) ?? 1) - 1;
    if (left === 0) this.#perKey.delete(next.key);
    else this.#perKey.set(next.key, left);
    next.start();
  }
}
