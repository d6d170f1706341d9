import { type Clock, LOOK_AGAIN_MS } from "../base/clock.ts";
import type { Destination, Place } from "./destination.ts";

export interface LinesOptions<Job> {
  readonly clock: Clock;
  /** Gets what waits at a destination that is down, and finds another place for it. */
  readonly onDown: (jobs: readonly Job[]) => void;
  /** Some destination may have its turn now. */
  readonly onReady: () => void;
}

/**
 * The lines at destinations, and whose turn it is: ready destinations take turns, one attempt
 * each, so that none starves another. A destination where something waits stands in one place, and
 * something looks at it again in each:
 *
 * | place   | looked at again                                                 |
 * | ------- | --------------------------------------------------------------- |
 * | ready   | at the next turn: now, or when any attempt ends                 |
 * | resting | by the timer here, at the latest after `LOOK_AGAIN_MS`          |
 * | busy    | when an attempt at the destination ends                         |
 * | blocked | when an attempt ends at a destination that has limits           |
 *
 * Nothing waits at a destination that is down.
 */
export class Lines<Job> {
  readonly #options: LinesOptions<Job>;
  /** The destinations of each place; `Destination.place` says the same. */
  readonly #standing: Readonly<Record<Place, Set<Destination<Job>>>> = {
    ready: new Set(),
    resting: new Set(),
    busy: new Set(),
    blocked: new Set(),
  };
  #wakeAtMs = Infinity;
  #cancelWake: (() => void) | null = null;
  #isStopped = false;

  constructor(options: LinesOptions<Job>) {
    this.#options = options;
  }

  /** Puts a job at the end of a line. */
  add(destination: Destination<Job>, job: Job): void {
    destination.waiting.push(job);
    this.place(destination);
  }

  /** Puts a job before all others in line. */
  putBack(destination: Destination<Job>, job: Job): void {
    destination.waiting.unshift(job);
    this.place(destination);
  }

  /** Finds the place of a destination anew, as something about it changed. */
  place(destination: Destination<Job>): void {
    if (destination.waiting.length === 0) return this.#stand(destination, null);
    const standing = destination.standing(this.#options.clock.now());
    if (standing.kind === "down") {
      this.#stand(destination, null);
      return this.#options.onDown(destination.waiting.drain());
    }
    this.#stand(destination, standing.kind);
    if (standing.kind === "resting") this.#wakeBy(standing.untilMs);
  }

  /**
   * Takes the job whose turn it is; null when none may start. The caller begins the attempt and
   * calls `place`.
   */
  next(): { readonly destination: Destination<Job>; readonly job: Job } | null {
    for (const destination of this.#standing.ready) {
      const isReady = destination.standing(this.#options.clock.now()).kind === "ready";
      const job = isReady ? destination.waiting.shift() : undefined;
      if (job === undefined) {
        this.place(destination);
        continue;
      }
      this.#stand(destination, null); // so that its next turn comes after those of the others
      return { destination, job };
    }
    return null;
  }

  /** An attempt ended at a destination that has limits; it may share them with others. */
  unblock(): void {
    for (const destination of [...this.#standing.blocked]) this.place(destination);
  }

  /** Finds the places of all anew, as something about many of them changed. */
  placeAll(): void {
    for (const destination of [...this.destinations()]) this.place(destination);
  }

  /** Takes everything that waits. */
  drain(): Job[] {
    return [...this.destinations()].flatMap((destination) => {
      this.#stand(destination, null);
      return destination.waiting.drain();
    });
  }

  /** Takes those jobs that are not to wait any longer. */
  take(isOver: (job: Job) => boolean): Job[] {
    const taken: Job[] = [];
    for (const destination of [...this.destinations()]) {
      const jobs = destination.waiting.drain();
      for (const job of jobs) (isOver(job) ? taken : destination.waiting).push(job);
      this.place(destination);
    }
    return taken;
  }

  /** Where something waits. */
  *destinations(): Iterable<Destination<Job>> {
    for (const standing of Object.values(this.#standing)) yield* standing;
  }

  /** Nothing is looked at again by itself from now on. */
  stop(): void {
    this.#isStopped = true;
    this.#cancelWake?.();
    this.#cancelWake = null;
  }

  /** What contradicts the table above, in words; nothing should. `attempts` are under way. */
  *faults({ attempts }: { readonly attempts: number }): Iterable<string> {
    for (const [place, standing] of Object.entries(this.#standing)) {
      for (const destination of standing) {
        const { waiting, running, transport } = destination;
        const where = `The line at ${destination.name} by ${transport.name} (${place})`;
        if (destination.place !== place) yield `${where} stands as ${destination.place}, too`;
        if (waiting.length === 0) yield `${where} is empty`;
        if (place === "busy" && running === 0) yield `${where} waits for an attempt of its own`;
        if (place === "blocked" && attempts === 0) yield `${where} waits for an attempt elsewhere`;
      }
    }
    if (this.#isStopped) return;
    if (this.#standing.resting.size > 0 && this.#cancelWake === null) {
      yield `Nothing wakes the ${this.#standing.resting.size} lines that rest`;
    }
  }

  #stand(destination: Destination<Job>, place: Place | null): void {
    if (destination.place === place) return;
    if (destination.place !== null) this.#standing[destination.place].delete(destination);
    destination.place = place;
    if (place !== null) this.#standing[place].add(destination);
  }

  #wakeBy(untilMs: number): void {
    if (this.#isStopped || untilMs >= this.#wakeAtMs) return;
    const { clock, onReady } = this.#options;
    this.#cancelWake?.();
    this.#wakeAtMs = untilMs;
    // The clock may be set while it waits: limits are looked at again before long.
    const delayMs = Math.min(Math.max(0, untilMs - clock.now()), LOOK_AGAIN_MS);
    this.#cancelWake = clock.schedule(delayMs, () => {
      this.#wakeAtMs = Infinity;
      this.#cancelWake = null;
      for (const destination of [...this.#standing.resting]) this.place(destination);
      onReady();
    });
  }
}
