import { GroupPace } from "./group_pace.ts";
import { isLong, Rate, type RateLimit } from "./rate.ts";
import { WarmUp, type WarmUpPlan } from "./warm_up.ts";

/** What a rule allows. */
export interface Limits {
  /** Attempts at once. */
  readonly concurrency?: number;
  /** Connections at once, those included that wait for the next message. */
  readonly connections?: number;
  /** Recipients of one message in one attempt. */
  readonly recipients?: number;
  readonly rates: readonly RateLimit[];
  readonly warmUp?: WarmUpPlan;
}

/**
 * What was counted over spans of an hour and more: when each rate will have forgotten it, by the
 * span, and for a warm-up by the cap of the day.
 */
export type LimiterCounts = Readonly<Record<string, number>>;

/** Counts what one rule limits, for one destination or for all that share the rule. */
export class Limiter {
  /** The name of the rule. */
  readonly rule: string;
  readonly limits: Limits;
  /** Whether it counts what has to outlive the process. */
  readonly counts: boolean;
  /** What is taught by one of its destinations and holds for all; null where each is on its own. */
  readonly pace: GroupPace | null;
  readonly #rates: readonly Rate[];
  readonly #warmUp: WarmUp | null;
  readonly #maxRunning: number;
  readonly #onCount: ((limiter: Limiter) => void) | undefined;
  #running = 0;

  /** `onCount` hears of everything that has to outlive the process. */
  constructor(
    rule: string,
    limits: Limits,
    { isGroup = false, onCount }: {
      isGroup?: boolean;
      onCount?: (limiter: Limiter) => void;
    } = {},
  ) {
    this.rule = rule;
    this.limits = limits;
    this.pace = isGroup ? new GroupPace() : null;
    this.#rates = limits.rates.map((rate) => new Rate(rate));
    this.#warmUp = limits.warmUp === undefined ? null : new WarmUp(limits.warmUp);
    this.#maxRunning = Math.min(limits.concurrency ?? Infinity, limits.connections ?? Infinity);
    this.counts = this.#warmUp !== null || limits.rates.some(isLong);
    this.#onCount = this.counts ? onCount : undefined;
  }

  /** Attempts under way. */
  get running(): number {
    return this.#running;
  }

  /** When the next attempt may begin: a time, or Infinity when another one must end first. */
  readyAtMs(nowMs: number): number {
    return this.#running >= this.#maxRunning ? Infinity : this.rateReadyAtMs(nowMs);
  }

  /** The same as far as rates go. */
  rateReadyAtMs(nowMs: number): number {
    let readyAtMs = this.pace?.readyAtMs(nowMs) ?? 0;
    for (const rate of this.#ratesAt(nowMs)) readyAtMs = Math.max(readyAtMs, rate.readyAtMs(nowMs));
    return readyAtMs;
  }

  /** The same for an attempt behind `ahead` others. */
  rateReadyBehindMs(nowMs: number, ahead: number): number {
    let readyAtMs = this.pace === null
      ? 0
      : Math.max(nowMs, this.pace.readyAtMs(nowMs)) + ahead * this.pace.intervalMs(nowMs);
    for (const rate of this.#ratesAt(nowMs)) {
      readyAtMs = Math.max(readyAtMs, rate.readyBehindMs(nowMs, ahead));
    }
    return readyAtMs;
  }

  /** Between two attempts when they go evenly; 0 without a rate. */
  intervalMs(nowMs: number): number {
    let intervalMs = this.pace?.intervalMs(nowMs) ?? 0;
    for (const rate of this.#ratesAt(nowMs)) intervalMs = Math.max(intervalMs, rate.intervalMs);
    return intervalMs;
  }

  begin(nowMs: number): void {
    this.#running++;
    this.pace?.begin(nowMs);
    for (const rate of this.#ratesAt(nowMs)) rate.take(nowMs);
    this.#onCount?.(this);
  }

  end(): void {
    this.#running--;
  }

  /** Whether a new one would be the same. */
  isFresh(nowMs: number): boolean {
    return this.#running === 0 && this.pace?.isActive(nowMs) !== true &&
      this.#ratesAt(nowMs).every((rate) => rate.isFull(nowMs));
  }

  /** What has to outlive the process; empty when nothing counts any more. */
  countsAt(nowMs: number): LimiterCounts {
    const counts: Record<string, number> = {};
    for (const [name, rate] of this.#longRates(nowMs)) {
      if (!rate.isFull(nowMs)) counts[name] = rate.fullAtMs;
    }
    return counts;
  }

  /** Takes up what one for the same mail counted, as far as it has such rates. */
  restore(counts: LimiterCounts, nowMs: number): void {
    for (const [name, rate] of this.#longRates(nowMs)) {
      const fullAtMs = counts[name];
      if (fullAtMs !== undefined) rate.restore(fullAtMs, nowMs);
    }
  }

  #ratesAt(nowMs: number): readonly Rate[] {
    const ofDay = this.#warmUp?.rateAt(nowMs) ?? null;
    return ofDay === null ? this.#rates : [...this.#rates, ofDay];
  }

  *#longRates(nowMs: number): Iterable<[name: string, rate: Rate]> {
    for (const rate of this.#rates) if (isLong(rate.limit)) yield [`${rate.limit.perMs}`, rate];
    const ofDay = this.#warmUp?.rateAt(nowMs) ?? null;
    if (ofDay !== null) yield [`warm-up of ${ofDay.limit.count}`, ofDay];
  }
}
