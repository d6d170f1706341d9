import { Rate } from "./rate.ts";

/** Daily caps that rise while a sender builds its reputation. */
export interface WarmUpPlan {
  /** The first day, midnight UTC. */
  readonly startMs: number;
  /** Messages on the first, second … day; after the last day there is no cap. */
  readonly perDay: readonly number[];
}

const DAY_MS = 86_400_000;

/** The cap of the day, before the plan begins that of its first day; null after it. */
export function capAt({ startMs, perDay }: WarmUpPlan, nowMs: number): number | null {
  const day = Math.max(0, Math.floor((nowMs - startMs) / DAY_MS));
  return perDay[day] ?? null;
}

/** The cap of the day as a rate, a new one each day. */
export class WarmUp {
  readonly plan: WarmUpPlan;
  #rate: Rate | null = null;

  constructor(plan: WarmUpPlan) {
    this.plan = plan;
  }

  /** The rate that holds now; null when there is no cap. */
  rateAt(nowMs: number): Rate | null {
    const count = capAt(this.plan, nowMs);
    if (count === null) return this.#rate = null;
    if (this.#rate?.limit.count !== count) this.#rate = new Rate({ count, perMs: DAY_MS });
    return this.#rate;
  }
}
