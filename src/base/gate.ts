import { Fifo } from "../base/fifo.ts";

/** Lets only so many tasks run at once; the others wait their turn. */
export class Gate {
  #free: number;
  readonly #waiting = new Fifo<() => void>();

  constructor(maxConcurrent: number) {
    this.#free = maxConcurrent;
  }

  /** Runs `task` as soon as there is room. */
  async run<Value>(task: () => Promise<Value>): Promise<Value> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await task();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next(); // hands its place on
    }
  }
}
