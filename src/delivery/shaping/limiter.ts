import { Rate, type RateLimit } from "./rate.ts";
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

/** Counts what one rule limits, for one destination or for all that share the rule. */
export class Limiter {
  /** The name of the rule. */
  readonly rule: string;
  readonly limits: Limits;
  readonly #rates: readonly Rate[];
  readonly #warmUp: WarmUp | null;
  readonly #maxRunning: number;
  #running = 0;

  constructor(rule: string, limits: Limits) {
    this.rule = rule;
    this.limits = limits;
    this.#rates = limits.rates.map((rate) => new Rate(rate));
    this.#warmUp = limits.warmUp === undefined ? null : new WarmUp(limits.warmUp);
    this.#maxRunning = Math.min(limits.concurrency ?? Infinity, limits.connections ?? Infinity);
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
    let readyAtMs = this.#warmUp?.rateAt(nowMs)?.readyAtMs ?? 0;
    for (const rate of this.#rates) readyAtMs = Math.max(readyAtMs, rate.readyAtMs);
    return readyAtMs;
  }

  /** Between two attempts when they go evenly; 0 without a rate. */
  intervalMs(nowMs: number): number {
    let intervalMs = this.#warmUp?.rateAt(nowMs)?.intervalMs ?? 0;
    for (const rate of this.#rates) intervalMs = Math.max(intervalMs, rate.intervalMs);
    return intervalMs;
  }

  begin(nowMs: number): void {
    this.#running++;
    this.#warmUp?.rateAt(nowMs)?.take(nowMs);
    for (const rate of this.#rates) rate.take(nowMs);
  }

  end(): void {
    this.#running--;
  }

  /** Whether a new one would be the same. */
  isFresh(nowMs: number): boolean {
    return this.#running === 0 && (this.#warmUp?.rateAt(nowMs)?.isFull(nowMs) ?? true) &&
      this.#rates.every((rate) => rate.isFull(nowMs));
  }
}
