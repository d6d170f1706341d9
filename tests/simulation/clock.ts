import type { Clock } from "../../src/base/clock.ts";
import type { Dice } from "./dice.ts";

/** The longest timer of the runtime; what is longer fires at once, as `setTimeout` has it. */
const MAX_TIMER_MS = 2 ** 31 - 1;

interface Timer {
  atMs: number;
  /** Decides between timers of one moment. */
  readonly rank: number;
  readonly owner: object;
  readonly callback: () => void;
}

/**
 * The time of a simulated world. Nothing passes by itself: `fireNext` goes to the next timer. The
 * wall clock runs a little fast or slow, can be set, and knows nothing of timers.
 */
export class WorldClock {
  readonly #dice: Dice;
  readonly #rate: number;
  readonly #timers: TimerHeap = new TimerHeap();
  readonly #live = new Map<object, number>();
  readonly #thawAtMs = new Map<object, number>();
  #elapsedMs = 0;
  #wallBaseMs: number;
  #latestWallMs = 0;

  constructor({ dice, startMs, driftPpm }: { dice: Dice; startMs: number; driftPpm: number }) {
    this.#dice = dice;
    this.#wallBaseMs = startMs;
    this.#rate = 1 + driftPpm / 1e6;
  }

  /** Milliseconds since the beginning of the world. */
  get elapsedMs(): number {
    return this.#elapsedMs;
  }

  /** What the wall clock shows. */
  get wallMs(): number {
    return Math.floor(this.#wallBaseMs + this.#elapsedMs * this.#rate);
  }

  /** The latest time that the wall clock ever showed. */
  get latestWallMs(): number {
    return Math.max(this.#latestWallMs, this.wallMs);
  }

  /** Sets the wall clock forward, or back. */
  stepWall(byMs: number): void {
    this.#latestWallMs = this.latestWallMs;
    this.#wallBaseMs += byMs;
  }

  /** How many timers of an owner wait. */
  timersOf(owner: object): number {
    return this.#live.get(owner) ?? 0;
  }

  /** The clock as a process sees it; `forget` ends its timers. */
  viewFor(owner: object): Clock {
    return {
      now: () => this.wallMs,
      monotonic: () => this.#elapsedMs,
      schedule: (delayMs, callback) => this.schedule(delayMs, { owner, callback }),
    };
  }

  /** Calls `callback` after a time; the function returned cancels it. */
  schedule(
    delayMs: number,
    { owner, callback }: { owner: object; callback: () => void },
  ): () => void {
    const wholeMs = delayMs > MAX_TIMER_MS || !(delayMs >= 1) ? 1 : Math.trunc(delayMs);
    const atMs = this.#elapsedMs + wholeMs;
    const timer: Timer = { atMs, rank: this.#dice.float(), owner, callback };
    this.#timers.add(timer);
    this.#count(owner, 1);
    return () => {
      if (this.#timers.remove(timer)) this.#count(owner, -1);
    };
  }

  /** Ends all timers of an owner, as the end of a process does. */
  forget(owner: object): void {
    this.#timers.removeOf(owner);
    this.#live.delete(owner);
  }

  /** Gives timers of some owners no turn for a time; they come when it is over. */
  freeze(owners: readonly object[], forMs: number): void {
    const thawAtMs = this.#elapsedMs + forMs;
    for (const owner of owners) this.#thawAtMs.set(owner, thawAtMs);
  }

  /** When the next timer is due; null when there is none. */
  get nextAtMs(): number | null {
    return this.#timers.first?.atMs ?? null;
  }

  /** Goes to the next timer and fires it, if it is due by `untilMs`; else goes there. */
  fireNext(untilMs: number): boolean {
    const next = this.#timers.first;
    if (next === null || next.atMs > untilMs) {
      this.#elapsedMs = Math.max(this.#elapsedMs, untilMs);
      return false;
    }
    const thawAtMs = this.#thawAtMs.get(next.owner) ?? 0;
    if (thawAtMs > next.atMs) {
      this.#timers.postponeFirst(thawAtMs);
      return true;
    }
    this.#timers.remove(next);
    this.#count(next.owner, -1);
    this.#elapsedMs = Math.max(this.#elapsedMs, next.atMs);
    next.callback();
    return true;
  }

  #count(owner: object, by: number): void {
    this.#live.set(owner, (this.#live.get(owner) ?? 0) + by);
  }
}

/** A binary heap; what is removed stays in it, marked, until it comes to the top. */
class TimerHeap {
  #heap: Timer[] = [];
  readonly #waiting = new Set<Timer>();

  get first(): Timer | null {
    for (;;) {
      const [top] = this.#heap;
      if (top === undefined) return null;
      if (this.#waiting.has(top)) return top;
      this.#pop();
    }
  }

  add(timer: Timer): void {
    this.#waiting.add(timer);
    const heap = this.#heap;
    let place = heap.length;
    heap.push(timer);
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const above = heap[parent] as Timer;
      if (!isBefore(timer, above)) break;
      heap[place] = above;
      place = parent;
    }
    heap[place] = timer;
  }

  /** The first one comes later. */
  postponeFirst(atMs: number): void {
    const [timer] = this.#heap;
    if (timer === undefined) return;
    this.#pop();
    timer.atMs = atMs;
    this.add(timer);
  }

  remove(timer: Timer): boolean {
    return this.#waiting.delete(timer);
  }

  removeOf(owner: object): void {
    for (const timer of this.#waiting) if (timer.owner === owner) this.#waiting.delete(timer);
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= heap.length) break;
      const right = child + 1;
      if (right < heap.length && isBefore(heap[right] as Timer, heap[child] as Timer)) {
        child = right;
      }
      if (!isBefore(heap[child] as Timer, last)) break;
      heap[place] = heap[child] as Timer;
      place = child;
    }
    heap[place] = last;
  }
}

function isBefore(one: Timer, other: Timer): boolean {
  return one.atMs === other.atMs ? one.rank < other.rank : one.atMs < other.atMs;
}
