import { type LearnedPace, Pace } from "./pace.ts";
import { Recent } from "./recent.ts";

/** An answer that asked for less. */
export interface Lesson {
  readonly nowMs: number;
  readonly startedAtMs: number;
  /** What was answered. */
  readonly reason: string;
}

/** The pace that all destinations of a provider taught together. */
export class GroupPace {
  readonly #pace = new Pace();
  readonly #recent = new Recent();

  readyAtMs(nowMs: number): number {
    return this.#pace.readyAtMs(nowMs);
  }

  intervalMs(nowMs: number): number {
    return this.#pace.intervalMs(nowMs);
  }

  begin(nowMs: number): void {
    this.#recent.add(nowMs);
    this.#pace.begin(nowMs);
  }

  slowDown(lesson: Lesson): void {
    this.#pace.slowDown({ ...lesson, observedPerMs: this.#recent.perMs(lesson.nowMs) });
  }

  isActive(nowMs: number): boolean {
    return this.#pace.isActive(nowMs);
  }

  learned(nowMs: number): LearnedPace | null {
    return this.#pace.learned(nowMs);
  }
}
