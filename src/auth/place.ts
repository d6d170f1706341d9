import type { AttemptEnd } from "./throttle.ts";
import type { ThrottleRules } from "./settings.ts";

/** An attempt that did not end within this time has failed: its client went away. */
const LEASE_MS = 30_000;

/** An attempt that was let in. */
export interface Lease {
  readonly beganAtMs: number;
}

/** What is remembered of one address, network or user: failures, and attempts under way. */
export class Place {
  readonly #scale: number;
  readonly #underWay = new Set<Lease>();
  #failures = 0;
  #lastFailureMs = 0;
  #nextAtMs = 0;
  /** Called when an attempt has ended here. */
  readonly waiters = new Set<() => void>();

  /** `scale` multiplies what is free. */
  constructor(scale: number) {
    this.#scale = scale;
  }

  /** What it would cost to forget it. */
  get weight(): number {
    return this.#failures + this.#underWay.size;
  }

  /** Whether there is nothing to remember. */
  get isClear(): boolean {
    return this.#failures === 0 && this.#underWay.size === 0 && this.waiters.size === 0;
  }

  /** How long until an attempt may begin; Infinity while those under way are enough. */
  waitMs({ nowMs, rules }: { nowMs: number; rules: ThrottleRules }): number {
    this.#endLate(nowMs, rules);
    const free = rules.freeFailures * this.#scale + 1;
    const left = Math.max(1, free - this.#failuresAt(nowMs, rules));
    if (this.#underWay.size >= left) return Infinity;
    return Math.max(0, this.#nextAtMs - nowMs);
  }

  begin(nowMs: number): Lease {
    const lease = { beganAtMs: nowMs };
    this.#underWay.add(lease);
    return lease;
  }

  end(
    lease: Lease,
    { result, nowMs, rules }: { result: AttemptEnd; nowMs: number; rules: ThrottleRules },
  ): void {
    const wasUnderWay = this.#underWay.delete(lease);
    if (!wasUnderWay && result !== "wrong") this.#failures = Math.max(0, this.#failures - 1);
    if (wasUnderWay && result === "wrong") this.#fail(nowMs, rules);
    for (const wake of [...this.waiters]) wake();
  }

  /** Attempts whose clients went away have failed. */
  #endLate(nowMs: number, rules: ThrottleRules): void {
    for (const lease of this.#underWay) {
      const endMs = lease.beganAtMs + LEASE_MS;
      if (endMs > nowMs) break; // they stand in the order of their beginnings
      this.#underWay.delete(lease);
      this.#fail(endMs, rules);
    }
  }

  #fail(nowMs: number, rules: ThrottleRules): void {
    this.#failures = this.#failuresAt(nowMs, rules) + 1;
    this.#lastFailureMs = nowMs;
    const paid = this.#failures - rules.freeFailures * this.#scale;
    if (paid <= 0) return;
    const delayMs = Math.min(rules.maxDelayMs, rules.delayMs * 2 ** Math.min(paid - 1, 30));
    this.#nextAtMs = Math.max(this.#nextAtMs, nowMs + delayMs);
  }

  /** Failures that still count: half of them for each `forgetMs` that went by. */
  #failuresAt(nowMs: number, { forgetMs }: ThrottleRules): number {
    const halvings = Math.min(30, Math.floor((nowMs - this.#lastFailureMs) / forgetMs));
    return this.#failures >> Math.max(0, halvings);
  }
}
