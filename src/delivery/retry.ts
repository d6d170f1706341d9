import type { Clock } from "../base/clock.ts";
import type { Random } from "../base/random.ts";
import { nextAttempt, type RetrySchedule } from "../queue/schedule.ts";
import type { RetryPolicy } from "./conclude.ts";

/** Binds the retry schedule to a clock and randomness. */
export function retryPolicy(
  { schedule, clock, random }: { schedule: RetrySchedule; clock: Clock; random: Random },
): RetryPolicy {
  return ({ message, recipient, counts, retryAfterMs }) => {
    const nowMs = clock.now();
    const decision = nextAttempt({
      nowMs,
      receivedAtMs: message.receivedAtMs,
      expiresAtMs: message.expiresAtMs,
      attempts: recipient.attempts + (counts ? 1 : 0),
      delayNotified: recipient.delayNotified,
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    }, { schedule, random });
    if (decision.kind === "expire" || counts || retryAfterMs === undefined) return decision;
    // Nothing was attempted and the time to do it is known: the schedule has no say.
    const nextAttemptAtMs = Math.min(nowMs + retryAfterMs, message.expiresAtMs);
    return { ...decision, nextAttemptAtMs };
  };
}
