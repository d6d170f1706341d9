import { assert, assertEquals } from "@std/assert";
import { type Random, seededRandom } from "../../src/base/random.ts";
import {
  DEFAULT_RETRY_SCHEDULE,
  expiryOf,
  nextAttempt,
  type RetryFacts,
  type RetrySchedule,
} from "../../src/queue/schedule.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** The middle of the jitter. */
const middle: Random = { float: () => 0.5, fill: (into) => into };

function decide(
  facts: Partial<RetryFacts>,
  { schedule = DEFAULT_RETRY_SCHEDULE, random = middle }: {
    schedule?: RetrySchedule;
    random?: Random;
  } = {},
) {
  const all = {
    nowMs: 0,
    receivedAtMs: 0,
    expiresAtMs: 4 * DAY_MS,
    attempts: 1,
    delayNotified: false,
    ...facts,
  };
  return nextAttempt(all, { schedule, random });
}

Deno.test("schedule: the default delays, the last of which repeats", () => {
  const minutes = [1, 2, 5, 10, 20, 40, 60, 120, 240, 360, 360, 360];
  minutes.forEach((minute, place) => {
    const nextAttemptAtMs = minute * MINUTE_MS;
    const expected = { kind: "retry", nextAttemptAtMs, warnOfDelay: false } as const;
    assertEquals(decide({ attempts: place + 1 }), expected);
  });
});

Deno.test("schedule: an attempt that did not count is repeated like the first", () => {
  assertEquals(decide({ attempts: 0 }), decide({ attempts: 1 }));
});

Deno.test("schedule: jitter stays within its bounds and spreads", () => {
  const random = seededRandom(7);
  const schedule = { ...DEFAULT_RETRY_SCHEDULE, delaysMs: [1_000_000], jitter: 0.2 };
  const delays = Array.from({ length: 500 }, () => {
    const decision = decide({}, { schedule, random });
    return decision.kind === "retry" ? decision.nextAttemptAtMs : NaN;
  });
  assert(delays.every((delay) => delay >= 800_000 && delay <= 1_200_000));
  assert(Math.max(...delays) > 1_150_000 && Math.min(...delays) < 850_000);
  assert(delays.every(Number.isInteger));
});

Deno.test("schedule: the peer's wait is honoured when it is the longer one", () => {
  const wait = (retryAfterMs: number) => decide({ retryAfterMs });
  const at = (nextAttemptAtMs: number) => ({
    kind: "retry" as const,
    nextAttemptAtMs,
    warnOfDelay: false,
  });
  assertEquals(wait(5), at(MINUTE_MS));
  assertEquals(wait(HOUR_MS), at(HOUR_MS));
  assertEquals(wait(30 * DAY_MS), at(4 * DAY_MS));
});

Deno.test("schedule: one last attempt at the time of expiry, then no more", () => {
  const nowMs = 4 * DAY_MS - HOUR_MS;
  const decision = decide({ nowMs, attempts: 20, delayNotified: true });
  assertEquals(decision, { kind: "retry", nextAttemptAtMs: 4 * DAY_MS, warnOfDelay: false });
  assertEquals(decide({ nowMs: 4 * DAY_MS, attempts: 21 }), { kind: "expire" });
  assertEquals(decide({ nowMs: 5 * DAY_MS, attempts: 21 }), { kind: "expire" });
});

Deno.test("schedule: a delay is told once, after its time, if ever", () => {
  const warns = (facts: Partial<RetryFacts>, warnAfterMs: number | null = 4 * HOUR_MS) => {
    const schedule = { ...DEFAULT_RETRY_SCHEDULE, warnAfterMs };
    const decision = decide(facts, { schedule });
    return decision.kind === "retry" && decision.warnOfDelay;
  };
  assertEquals(warns({ nowMs: 4 * HOUR_MS - 1 }), false);
  assertEquals(warns({ nowMs: 4 * HOUR_MS }), true);
  assertEquals(warns({ nowMs: 9 * HOUR_MS, delayNotified: true }), false);
  assertEquals(warns({ nowMs: 9 * HOUR_MS }, null), false);
});

Deno.test("schedule: a message expires four days after it came", () => {
  assertEquals(expiryOf(1_000, DEFAULT_RETRY_SCHEDULE), 1_000 + 4 * DAY_MS);
});
