import type { Clock } from "../base/clock.ts";
import type { Random } from "../base/random.ts";
import { nextAttempt, type RetrySchedule } from "../queue/schedule.ts";
import type { MessageRecord } from "../queue/store.ts";
import type { RetryPolicy } from "./conclude.ts";

/**
 * What happens to mail whose connection died after the final dot, so that it may have been taken:
 * it is sent again, perhaps twice; an operator decides; or it is taken for delivered, perhaps not.
 */
export type UncertainPolicy = "retry" | "hold" | "deliver";

/** A next hop that never tells would get the same message until it expires. */
const MOST_COPIES = 3;

/** Binds the retry schedule to a clock and randomness. */
export function retryPolicy(
  { schedule, clock, random, uncertain = "retry" }: {
    schedule: RetrySchedule;
    clock: Clock;
    random: Random;
    uncertain?: UncertainPolicy;
  },
): RetryPolicy {
  return ({ message, recipient, counts, isUncertain, retryAfterMs }) => {
    if (isUncertain && uncertain === "deliver") return { kind: "assume" };
    const copies = (recipient.doubts ?? 0) + 1;
    if (isUncertain && (uncertain === "hold" || copies >= MOST_COPIES)) {
      return { kind: "hold", copies };
    }
    const nowMs = clock.now();
    const noticeAtMs = noticeTime(message);
    const decision = nextAttempt({
      nowMs,
      receivedAtMs: message.receivedAtMs,
      expiresAtMs: message.expiresAtMs,
      attempts: recipient.attempts + (counts ? 1 : 0),
      delayNotified: recipient.delayNotified,
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    }, { schedule: warningBy(noticeAtMs, { message, schedule }), random });
    if (decision.kind === "expire") return decision;
    if (counts || retryAfterMs === undefined) {
      const isDue = noticeAtMs !== null && noticeAtMs > nowMs && !recipient.delayNotified;
      if (!isDue) return decision;
      return { ...decision, nextAttemptAtMs: Math.min(decision.nextAttemptAtMs, noticeAtMs) };
    }
    // Nothing was attempted and the time to do it is known: the schedule has no say.
    const nextAttemptAtMs = Math.min(nowMs + retryAfterMs, message.expiresAtMs);
    return { ...decision, nextAttemptAtMs };
  };
}

/** When the sender wants to hear that a message is late (RFC 2852 section 4.1); null for never. */
function noticeTime({ extras }: MessageRecord): number | null {
  return extras?.deliverBy?.mode === "N" ? extras.deliverBy.deadlineMs : null;
}

/** The schedule for a message whose sender named the time of the notice. */
function warningBy(
  noticeAtMs: number | null,
  { message, schedule }: { message: MessageRecord; schedule: RetrySchedule },
): RetrySchedule {
  return noticeAtMs === null
    ? schedule
    : { ...schedule, warnAfterMs: noticeAtMs - message.receivedAtMs };
}
