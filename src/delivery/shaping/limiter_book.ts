import type { Clock } from "../../base/clock.ts";
import type { CountBook, KeptCounts } from "../../queue/count_keeper.ts";
import { Limiter, type LimiterCounts } from "./limiter.ts";
import type { ShapingRule } from "./rules.ts";

/** Limiters of single destinations that are remembered; above it, those that are idle go. */
const MAX_LIMITERS = 20_000;

/**
 * What each rule counted: once for all of its mail where that shares the limits, else for each
 * destination of each transport.
 */
export class LimiterBook implements CountBook {
  readonly #clock: Clock;
  readonly #limiters = new Map<string, Limiter>();
  readonly #keys = new Map<Limiter, string>();
  /** Limiters whose counts have to be written down. */
  readonly #changed = new Set<Limiter>();
  /** Counts of an earlier process whose limiters were not asked for yet. */
  readonly #kept = new Map<string, LimiterCounts>();
  #onChange: () => void = () => {};

  constructor({ clock }: { clock: Clock }) {
    this.#clock = clock;
  }

  /** Calls `onChange` whenever there is something for `takeChanged`. */
  watch(onChange: () => void): void {
    this.#onChange = onChange;
  }

  /** The limiter of a rule for one destination, or for all that share it. */
  limiterOf(rule: ShapingRule, place: readonly [transport: string, destination: string]): Limiter {
    const key = JSON.stringify(rule.shared ? [rule.name] : [rule.name, ...place]);
    const known = this.#limiters.get(key);
    if (known !== undefined) return known;
    if (this.#limiters.size >= MAX_LIMITERS) this.#forgetFresh();
    return this.#add(key, rule, this.#kept.get(key));
  }

  /**
   * Keeps what rules counted that are there by the same name, and forgets the rest. A rule whose
   * limits are the same goes on with its limiters.
   */
  replaceRules(rules: readonly ShapingRule[]): void {
    const nowMs = this.#clock.now();
    const byName = new Map(rules.map((rule) => [rule.name, rule]));
    for (const [key, limiter] of [...this.#limiters]) {
      const rule = byName.get(limiter.rule);
      if (rule !== undefined && isSame(rule.limits, limiter.limits)) continue;
      this.#limiters.delete(key);
      this.#keys.delete(limiter);
      this.#changed.delete(limiter);
      if (rule === undefined) continue;
      this.#noteChange(this.#add(key, rule, limiter.countsAt(nowMs)));
    }
  }

  /** Takes up what an earlier process counted. */
  restore(kept: Iterable<Omit<KeptCounts, "expiresAtMs">>): void {
    const nowMs = this.#clock.now();
    for (const { key, counts } of kept) {
      this.#limiters.get(key)?.restore(counts, nowMs);
      this.#kept.set(key, counts);
    }
  }

  /** What changed since it was asked last and has to outlive the process. */
  takeChanged(): KeptCounts[] {
    const nowMs = this.#clock.now();
    const changed = [...this.#changed].map((limiter) => {
      const counts = limiter.countsAt(nowMs);
      // Each of them is the time at which a limit has forgotten all.
      const expiresAtMs = Math.ceil(Math.max(0, ...Object.values(counts)));
      return { key: this.#keys.get(limiter) ?? "", counts, expiresAtMs };
    });
    this.#changed.clear();
    return changed;
  }

  #add(key: string, rule: ShapingRule, counts: LimiterCounts | undefined): Limiter {
    const limiter = new Limiter(rule.name, rule.limits, {
      isGroup: rule.shared && rule.match.mx !== undefined,
      onCount: this.#noteChange,
    });
    if (counts !== undefined) limiter.restore(counts, this.#clock.now());
    this.#kept.delete(key);
    this.#limiters.set(key, limiter);
    if (limiter.counts) this.#keys.set(limiter, key);
    return limiter;
  }

  readonly #noteChange = (limiter: Limiter): void => {
    if (!this.#keys.has(limiter)) return; // an attempt of before the rules were replaced
    this.#changed.add(limiter);
    this.#onChange();
  };

  #forgetFresh(): void {
    const nowMs = this.#clock.now();
    for (const [key, limiter] of this.#limiters) {
      if (!limiter.isFresh(nowMs) || this.#changed.has(limiter)) continue;
      this.#limiters.delete(key);
      this.#keys.delete(limiter);
    }
  }
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
