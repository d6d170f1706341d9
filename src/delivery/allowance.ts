import { Until } from "../base/clock.ts";
import type { RateAllowance } from "./transport.ts";

/**
 * What a peer said it would still take, less what was begun since. Nothing is held back while it
 * has said nothing, or once the limit it spoke of is counted anew.
 */
export class Allowance {
  #remaining = Infinity;
  readonly #reset = new Until();
  /** Attempts begun so far. */
  #begun = 0;
  /** The attempt whose answer told what is left: the last one begun of those answered. */
  #toldBy = 0;

  /** When something may be begun again; in the past when it may be now. */
  restUntilMs(nowMs: number): number {
    return this.#remaining > 0 ? 0 : this.#reset.at(nowMs);
  }

  isSpent(nowMs: number): boolean {
    return this.#remaining <= 0 && nowMs < this.#reset.at(nowMs);
  }

  /** An attempt begins; returns its number, for `learn`. */
  take(): number {
    this.#remaining--;
    return ++this.#begun;
  }

  /**
   * The answer to attempt `number` said what is left. It counts attempts up to that one, but
   * perhaps not those begun since; answers may overtake each other.
   */
  learn(
    { remaining, resetAfterMs }: RateAllowance,
    { nowMs, number }: { nowMs: number; number: number },
  ): void {
    const left = remaining - (this.#begun - number);
    const resetAtMs = this.#reset.at(nowMs);
    const isNews = nowMs >= resetAtMs || number > this.#toldBy;
    this.#remaining = isNews ? left : Math.min(this.#remaining, remaining);
    this.#reset.set(Math.max(resetAtMs, nowMs + resetAfterMs), nowMs);
    this.#toldBy = Math.max(this.#toldBy, number);
  }
}
