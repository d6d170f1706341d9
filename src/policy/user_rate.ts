import { reply } from "../mail/reply.ts";
import { ACCEPT, type Decision, refuse } from "./decision.ts";
import { counted, EMPTY_WINDOW, rateOf, type RateWindow } from "./rate_window.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

const TOO_MANY = reply(450, "4.7.1", "Message rate of this user exceeded, try again later");

/** How much a user may send; `Account` has this shape. A limit that is null does not exist. */
export interface RateRules {
  readonly name: string;
  readonly messagesPerHour: number | null;
  readonly messagesPerDay: number | null;
}

/** What a user has sent of late. */
export interface RateUsage {
  readonly hour: RateWindow;
  readonly day: RateWindow;
}

/** What somebody has sent who sent nothing. */
export const NO_USAGE: RateUsage = { hour: EMPTY_WINDOW, day: EMPTY_WINDOW };

/** Decides whether a user may send one more message, and what the usage is then. */
export function takeMessage(
  usage: RateUsage,
  { rules, nowMs }: { rules: RateRules; nowMs: number },
): { readonly decision: Decision; readonly usage: RateUsage } {
  const { name, messagesPerHour, messagesPerDay } = rules;
  const isOver = isFull(usage.hour, { limit: messagesPerHour, nowMs, perMs: HOUR_MS }) ||
    isFull(usage.day, { limit: messagesPerDay, nowMs, perMs: DAY_MS });
  if (isOver) {
    const cause = `user ${JSON.stringify(name)} reached its message limit`;
    return { decision: refuse(TOO_MANY, cause), usage };
  }
  const hour = counted(usage.hour, { nowMs, perMs: HOUR_MS });
  const day = counted(usage.day, { nowMs, perMs: DAY_MS });
  return { decision: ACCEPT, usage: { hour, day } };
}

/** What is kept of a user's usage, see `UserRates.takeChanged`. */
interface KeptUsage {
  /** The user. */
  readonly key: string;
  readonly counts: Readonly<Record<string, number>>;
}

/** The usage of all users that have limits; it can be kept elsewhere and taken up again. */
export class UserRates {
  readonly #usage = new Map<string, RateUsage>();
  readonly #changed = new Set<string>();
  #onChange: () => void = () => {};
  #sweptAtMs = -Infinity;

  /** Users of whom something is remembered. */
  get size(): number {
    return this.#usage.size;
  }

  /** Decides whether a user may send one more message; counts nothing. */
  judge(rules: RateRules, nowMs: number): Decision {
    if (rules.messagesPerHour === null && rules.messagesPerDay === null) return ACCEPT;
    return takeMessage(this.#usage.get(rules.name) ?? NO_USAGE, { rules, nowMs }).decision;
  }

  /** Decides whether a user may send one more message, and counts it. */
  take(rules: RateRules, nowMs: number): Decision {
    if (rules.messagesPerHour === null && rules.messagesPerDay === null) return ACCEPT;
    this.#forgetIdle(nowMs);
    const { name } = rules;
    const { decision, usage } = takeMessage(this.#usage.get(name) ?? NO_USAGE, { rules, nowMs });
    this.#usage.set(name, usage);
    if (decision.kind === "refuse") return decision;
    this.#changed.add(name);
    this.#onChange();
    return decision;
  }

  /** Calls `onChange` whenever there is something for `takeChanged`. */
  watch(onChange: () => void): void {
    this.#onChange = onChange;
  }

  /** The usage that changed since it was asked last, with the time when it says nothing any more. */
  takeChanged(): (KeptUsage & { readonly expiresAtMs: number })[] {
    const changed = [...this.#changed].flatMap((key) => {
      const usage = this.#usage.get(key);
      if (usage === undefined) return [];
      const expiresAtMs = usage.day.startMs + 2 * DAY_MS;
      return [{ key, counts: countsOf(usage), expiresAtMs }];
    });
    this.#changed.clear();
    return changed;
  }

  /** Takes up what an earlier process counted of users of whom nothing is known yet. */
  restore(kept: Iterable<KeptUsage>): void {
    for (const { key, counts } of kept) {
      if (this.#usage.has(key)) continue;
      this.#usage.set(key, { hour: windowIn(counts, "hour"), day: windowIn(counts, "day") });
    }
  }

  /** Drops, once a day, what says nothing any more; there are as many left as active users. */
  #forgetIdle(nowMs: number): void {
    if (nowMs - this.#sweptAtMs < DAY_MS) return;
    this.#sweptAtMs = nowMs;
    for (const [name, { day }] of this.#usage) {
      if (nowMs - day.startMs >= 2 * DAY_MS) this.#usage.delete(name);
    }
  }
}

function countsOf({ hour, day }: RateUsage): Record<string, number> {
  return {
    ...{ hourStartMs: hour.startMs, hourCount: hour.count, hourBefore: hour.before },
    ...{ dayStartMs: day.startMs, dayCount: day.count, dayBefore: day.before },
  };
}

function windowIn(counts: KeptUsage["counts"], name: "hour" | "day"): RateWindow {
  const startMs = counts[`${name}StartMs`] ?? -Infinity;
  return { startMs, count: counts[`${name}Count`] ?? 0, before: counts[`${name}Before`] ?? 0 };
}

function isFull(
  window: RateWindow,
  { limit, nowMs, perMs }: { limit: number | null; nowMs: number; perMs: number },
): boolean {
  return limit !== null && rateOf(window, { nowMs, perMs }) + 1 > limit;
}
