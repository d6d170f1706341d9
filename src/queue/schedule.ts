import type { Random } from "../base/random.ts";

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** When to try again and when to give up. All times are milliseconds. */
export interface RetrySchedule {
  /** The wait after the first, second, … attempt; the last one repeats. At least one. */
  readonly delaysMs: readonly number[];
  /** How far a wait may differ from the schedule in either direction, 0 to 1 of its length. */
  readonly jitter: number;
  /** How long after its arrival a message is given up. */
  readonly expireAfterMs: number;
  /** How long after its arrival the sender is told of a delay; null means never. */
  readonly warnAfterMs: number | null;
}

/**
 * The schedule that holds when nothing is configured. RFC 5321 4.5.4.1 asks for a wait of
 * at least 30 minutes "while more sophisticated and variable strategies will be beneficial", and
 * for 4 to 5 days before giving up; greylisting hosts let mail pass after the first minutes.
 */
export const DEFAULT_RETRY_SCHEDULE: RetrySchedule = {
  delaysMs: [
    ...[1, 2, 5, 10, 20, 40].map((minutes) => minutes * MINUTE_MS),
    ...[1, 2, 4, 6].map((hours) => hours * HOUR_MS),
  ],
  jitter: 0.1,
  expireAfterMs: 4 * DAY_MS,
  warnAfterMs: 4 * HOUR_MS,
};

/** What the decision needs to know of a recipient whose attempt failed for now. */
export interface RetryFacts {
  readonly nowMs: number;
  readonly receivedAtMs: number;
  readonly expiresAtMs: number;
  /** Attempts that counted, this one included if it did. */
  readonly attempts: number;
  readonly delayNotified: boolean;
  /** How long the peer asked to wait; the next attempt is not made sooner. */
  readonly retryAfterMs?: number;
}

/** What happens to the recipient. */
export type RetryDecision =
  | {
    readonly kind: "retry";
    readonly nextAttemptAtMs: number;
    /** Whether the sender is to be told of the delay now (RFC 3461 5.2.5). */
    readonly warnOfDelay: boolean;
  }
  /** No attempt fits before the message expires. */
  | { readonly kind: "expire" };

/**
 * Decides when a recipient is tried again. The last attempt is made at the time of expiry, so
 * that a long wait does not cut the promised time short; an attempt that fails then is the last.
 */
export function nextAttempt(
  facts: RetryFacts,
  { schedule, random }: { schedule: RetrySchedule; random: Random },
): RetryDecision {
  const { nowMs, expiresAtMs } = facts;
  if (nowMs >= expiresAtMs) return { kind: "expire" };
  const delayMs = delayAfter(facts.attempts, { schedule, random });
  const earliestMs = nowMs + Math.max(delayMs, facts.retryAfterMs ?? 0);
  return {
    kind: "retry",
    nextAttemptAtMs: Math.min(earliestMs, expiresAtMs),
    warnOfDelay: isLate(facts, schedule),
  };
}

/** When a message that arrived at `receivedAtMs` is given up. */
export function expiryOf(receivedAtMs: number, { expireAfterMs }: RetrySchedule): number {
  return receivedAtMs + expireAfterMs;
}

function delayAfter(
  attempts: number,
  { schedule: { delaysMs, jitter }, random }: { schedule: RetrySchedule; random: Random },
): number {
  const place = Math.min(Math.max(attempts, 1), delaysMs.length) - 1;
  const delayMs = delaysMs[place] ?? HOUR_MS;
  return Math.round(delayMs * (1 + jitter * (2 * random.float() - 1)));
}

function isLate(
  { nowMs, receivedAtMs, delayNotified }: RetryFacts,
  { warnAfterMs }: RetrySchedule,
) {
  return !delayNotified && warnAfterMs !== null && nowMs - receivedAtMs >= warnAfterMs;
}
