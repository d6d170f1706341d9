import { assertEquals } from "@std/assert";
import { seededRandom } from "../../src/base/random.ts";
import { retryPolicy } from "../../src/delivery/retry.ts";
import type { EnvelopeExtras } from "../../src/mail/envelope.ts";
import { DEFAULT_RETRY_SCHEDULE } from "../../src/queue/schedule.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { messageOf, NOW_MS } from "../queue/messages.ts";

const MINUTE_MS = 60_000;
const schedule = { ...DEFAULT_RETRY_SCHEDULE, delaysMs: [20 * MINUTE_MS], jitter: 0 };

/** What is decided `afterMs` after a message with these parameters arrived. */
function decide(extras: EnvelopeExtras, { afterMs, delayNotified = false }: {
  afterMs: number;
  delayNotified?: boolean;
}) {
  const clock = new ManualClock(NOW_MS + afterMs);
  const retry = retryPolicy({ schedule, clock, random: seededRandom(1) });
  const message = { ...messageOf(1), receivedAtMs: NOW_MS, expiresAtMs: NOW_MS + 1e9, extras };
  const recipient = {
    ...{ index: 0, forwardPath: "a@dest.example", domain: "dest.example" },
    ...{ attempts: 0, nextAttemptAtMs: NOW_MS, delayNotified, lastReply: "" },
    state: "queued",
  } as const;
  const decision = retry({ message, recipient, counts: true, isUncertain: false });
  if (decision.kind !== "retry") return decision.kind;
  return [(decision.nextAttemptAtMs - NOW_MS) / MINUTE_MS, decision.warnOfDelay];
}

// RFC 2852 section 4.1
const notice = {
  deliverBy: { deadlineMs: NOW_MS + 10 * MINUTE_MS, mode: "N", trace: false },
} as const;

Deno.test("retry: an attempt is made when the sender wants to hear of the delay", () => {
  assertEquals(decide({}, { afterMs: 0 }), [20, false]);
  assertEquals(decide(notice, { afterMs: 0 }), [10, false]);
});

Deno.test("retry: the sender hears of the delay at its deadline, once", () => {
  assertEquals(decide(notice, { afterMs: 10 * MINUTE_MS }), [30, true]);
  assertEquals(decide(notice, { afterMs: 30 * MINUTE_MS, delayNotified: true }), [50, false]);
});
