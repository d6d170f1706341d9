import type { Lesson } from "./group_pace.ts";
import type { Limiter, Limits } from "./limiter.ts";
import { type LearnedPace, Pace } from "./pace.ts";

/** Mail that would wait longer for its turn waits in the store. */
const LONGEST_LINE_MS = 5_000;
/** The farthest turn that is given; what would come later asks again then. */
const FARTHEST_TURN_MS = 15 * 60_000;

/** What holds a destination back, for status displays. */
export interface GateView {
  readonly rules: readonly { readonly name: string; readonly limits: Limits }[];
  readonly learned: LearnedPace | null;
  /** When the next attempt may begin; null when it may now, or when another must end first. */
  readonly readyAtMs: number | null;
}

/**
 * What one destination may do: the limits of all rules that fit it, some of which it shares, and
 * the pace that it taught. Mail that cannot go soon gets a turn and waits for it in the store.
 */
export class Gate {
  readonly #limiters: readonly Limiter[];
  readonly #pace: Pace;
  /** The most recipients of one message in one attempt. */
  readonly maxRecipients: number;
  /** Whether connections are limited, so that none is to be kept without need. */
  readonly limitsConnections: boolean;
  #lastTurnAtMs = 0;

  constructor(limiters: readonly Limiter[], pace: Pace = new Pace()) {
    this.#limiters = limiters;
    this.#pace = pace;
    this.maxRecipients = Math.min(
      ...limiters.map(({ limits: { recipients = Infinity } }) => recipients),
    );
    this.limitsConnections = limiters.some(({ limits }) => limits.connections !== undefined);
  }

  /** One with other limits that keeps what this one was taught. */
  withLimitsOf(other: Gate | null): Gate {
    return new Gate(other === null ? [] : other.#limiters, this.#pace);
  }

  /** When the next attempt may begin: a time, or Infinity when another one must end first. */
  readyAtMs(nowMs: number): number {
    let readyAtMs = this.#pace.readyAtMs(nowMs);
    for (const limiter of this.#limiters) {
      readyAtMs = Math.max(readyAtMs, limiter.readyAtMs(nowMs));
    }
    return readyAtMs;
  }

  /**
   * When something gets its turn that comes now, behind `waiting` others: null when it may line
   * up, else the time until which it waits in the store. What is `fresh` comes after all that was
   * given a turn before.
   */
  turnFor({ nowMs, waiting, isFresh }: {
    nowMs: number;
    waiting: number;
    isFresh: boolean;
  }): number | null {
    const intervalMs = this.#intervalMs(nowMs);
    if (intervalMs === 0) return null;
    this.#lastTurnAtMs = Math.min(this.#lastTurnAtMs, nowMs + FARTHEST_TURN_MS);
    const lineEndMs = Math.max(nowMs, this.#rateReadyBehindMs(nowMs, waiting));
    const earliestMs = isFresh ? Math.max(lineEndMs, this.#lastTurnAtMs) : lineEndMs;
    if (earliestMs <= nowMs + LONGEST_LINE_MS) return null;
    const turnAtMs = Math.max(lineEndMs, this.#lastTurnAtMs + intervalMs);
    if (turnAtMs > nowMs + FARTHEST_TURN_MS) return nowMs + FARTHEST_TURN_MS;
    this.#lastTurnAtMs = turnAtMs;
    return turnAtMs;
  }

  begin(nowMs: number): void {
    this.#pace.begin(nowMs);
    for (const limiter of this.#limiters) limiter.begin(nowMs);
  }

  end(): void {
    for (const limiter of this.#limiters) limiter.end();
  }

  /**
   * The destination asked for less; `observedPerMs` is how fast it was sent to of late. Where its
   * provider's destinations share a limit, that holds for all of them.
   */
  slowDown(lesson: Lesson & { readonly observedPerMs: number }): void {
    const groups = this.#limiters.flatMap(({ pace }) => pace ?? []);
    if (groups.length === 0) this.#pace.slowDown(lesson);
    else for (const pace of groups) pace.slowDown(lesson);
  }

  /** Whether it knows nothing that a new one would not. */
  isForgettable(nowMs: number): boolean {
    return !this.#pace.isActive(nowMs) && this.#lastTurnAtMs <= nowMs;
  }

  /** Why mail waits, in words. */
  reason(nowMs: number): string {
    const learned = this.#learned(nowMs);
    const byRate = this.#limiters.filter((limiter) =>
      limiter.rateReadyAtMs(nowMs) > Math.max(nowMs, limiter.pace?.readyAtMs(nowMs) ?? 0)
    );
    const names = byRate.map(({ rule }) => rule).join(", ");
    if (names !== "") return `Limit of ${names} reached`;
    return learned === null ? "Limit reached" : `Throttled after: ${learned.reason}`;
  }

  view(nowMs: number): GateView {
    const readyAtMs = this.readyAtMs(nowMs);
    return {
      rules: this.#limiters.map(({ rule, limits }) => ({ name: rule, limits })),
      learned: this.#learned(nowMs),
      readyAtMs: readyAtMs > nowMs && readyAtMs !== Infinity ? readyAtMs : null,
    };
  }

  /** The slowest pace that holds for it. */
  #learned(nowMs: number): LearnedPace | null {
    let slowest = this.#pace.learned(nowMs);
    for (const { pace } of this.#limiters) {
      const learned = pace?.learned(nowMs) ?? null;
      if (learned === null) continue;
      if (slowest === null || learned.perMinute < slowest.perMinute) slowest = learned;
    }
    return slowest;
  }

  /** When rates and pace let an attempt begin that has `ahead` others before it. */
  #rateReadyBehindMs(nowMs: number, ahead: number): number {
    let readyAtMs = Math.max(nowMs, this.#pace.readyAtMs(nowMs)) +
      ahead * this.#pace.intervalMs(nowMs);
    for (const limiter of this.#limiters) {
      readyAtMs = Math.max(readyAtMs, limiter.rateReadyBehindMs(nowMs, ahead));
    }
    return readyAtMs;
  }

  #intervalMs(nowMs: number): number {
    let intervalMs = this.#pace.intervalMs(nowMs);
    for (const limiter of this.#limiters) {
      intervalMs = Math.max(intervalMs, limiter.intervalMs(nowMs));
    }
    return intervalMs;
  }
}
