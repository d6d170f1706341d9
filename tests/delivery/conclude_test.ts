/** What outcomes come to for the queue, for its operators and for who watches. */
import { assertEquals } from "@std/assert";
import { seededRandom } from "../../src/base/random.ts";
import {
  conclude,
  conclusionEvent,
  formatRemote,
  kindOf,
  type RetryDecision,
  type SettlingOutcome,
} from "../../src/delivery/conclude.ts";
import { isBlame, sooner } from "../../src/delivery/failover.ts";
import { retryPolicy } from "../../src/delivery/retry.ts";
import { attemptEntry } from "../../src/delivery/timeline.ts";
import type { DeliveryReport, Outcome, Setback } from "../../src/delivery/transport.ts";
import { reply } from "../../src/mail/reply.ts";
import { DEFAULT_RETRY_SCHEDULE } from "../../src/queue/schedule.ts";
import type { RecipientRecord } from "../../src/queue/store.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { messageOf, NOW_MS } from "../queue/messages.ts";
import { DELIVERED, GREYLISTED, UNREACHABLE } from "./scheduler_setup.ts";

const message = { ...messageOf(1), receivedAtMs: NOW_MS, expiresAtMs: NOW_MS + 1e9 };
const recipient: RecipientRecord = {
  ...{ index: 0, forwardPath: "a@dest.example", domain: "dest.example", state: "queued" },
  ...{ attempts: 2, nextAttemptAtMs: NOW_MS, delayNotified: false, lastReply: "" },
};
const UNCERTAIN: SettlingOutcome = { kind: "uncertain", reply: reply(451, "4.4.2", "Lost") };
const REFUSED: SettlingOutcome = { kind: "permanent", reply: reply(550, "5.1.1", "No") };
const LIMITED: Outcome = {
  ...{ kind: "temporary", reply: reply(451, "4.4.5", "Limit"), counts: false, retryAfterMs: 7 },
};
const SUSPENDED = { ...UNREACHABLE, scope: "transport" } as Outcome;
const RETRY = { kind: "retry", nextAttemptAtMs: NOW_MS + 5, warnOfDelay: false } as const;

/** What an outcome is concluded to be, and what the schedule was asked. */
function concluded(
  outcome: SettlingOutcome,
  { decision = RETRY as RetryDecision, keepsPlace = false } = {},
) {
  const asked: unknown[] = [];
  const conclusion = conclude({
    ...{ message, recipient, outcome, keepsPlace },
    retry({ counts, isUncertain, retryAfterMs }) {
      asked.push([counts, isUncertain, retryAfterMs]);
      return decision;
    },
  });
  const { disposition, nextAttemptAtMs, news } = conclusion;
  return { asked, disposition, dueMs: nextAttemptAtMs, news, conclusion };
}

Deno.test("an attempt counts unless a limit, or what is broken for all, prevented it", () => {
  const asked = [GREYLISTED, UNREACHABLE, LIMITED, SUSPENDED, UNCERTAIN].map((outcome) =>
    concluded(outcome as SettlingOutcome).asked[0]
  );
  assertEquals(asked, [
    [true, false, undefined],
    [true, false, undefined],
    [false, false, 7],
    [false, false, undefined],
    [true, true, undefined],
  ]);
});

Deno.test("what is final needs no schedule", () => {
  for (const [outcome, state] of [[DELIVERED, "delivered"], [REFUSED, "failed"]] as const) {
    const { asked, disposition, dueMs, news } = concluded(outcome as SettlingOutcome);
    assertEquals([asked, disposition, dueMs, news], [[], { kind: "final", state }, null, state]);
  }
});

Deno.test("what the schedule decides is what the queue is told", () => {
  const of = (decision: RetryDecision, outcome = GREYLISTED as SettlingOutcome) => {
    const { disposition, dueMs, news } = concluded(outcome, { decision });
    return [disposition, dueMs, news];
  };
  const due = NOW_MS + 5;
  const retry = { kind: "retry", nextAttemptAtMs: due, counts: true } as const;
  assertEquals(of(RETRY), [retry, due, null]);
  assertEquals(of({ ...RETRY, warnOfDelay: true }), [
    { ...retry, delayNotified: true },
    due,
    "delayed",
  ]);
  assertEquals(of(RETRY, UNCERTAIN as SettlingOutcome), [{ ...retry, doubtful: true }, due, null]);
  const final = (state: "delivered" | "expired") => ({ kind: "final", state }) as const;
  assertEquals(of({ kind: "expire" }), [final("expired"), null, "expired"]);
  assertEquals(of({ kind: "assume" }), [final("delivered"), null, null]);
  assertEquals(of({ kind: "hold", copies: 1 }), [{ kind: "hold", counts: true }, null, null]);
});

Deno.test("a place is kept only by what does not count", () => {
  const at = (outcome: Outcome) =>
    concluded(outcome as SettlingOutcome, { keepsPlace: true }).disposition;
  const kept = { kind: "retry", nextAttemptAtMs: NOW_MS, counts: false } as const;
  assertEquals(at(LIMITED), kept);
  assertEquals(at(GREYLISTED), { kind: "retry", nextAttemptAtMs: NOW_MS + 5, counts: true });
});

Deno.test("people are told how often a message may have been sent", () => {
  const text = (decision: RetryDecision, outcome: Outcome = UNCERTAIN) =>
    concluded(outcome as SettlingOutcome, { decision }).conclusion.reply.lines;
  assertEquals(text(RETRY), ["Lost (maybe sent)"]);
  assertEquals(text({ kind: "hold", copies: 1 }), ["Lost (maybe sent)"]);
  assertEquals(text({ kind: "hold", copies: 2 }), [
    "Lost (maybe sent 2 times, held: ask the recipient, then cancel or release it)",
  ]);
  const many: Outcome = { ...UNCERTAIN, reply: { ...UNCERTAIN.reply, lines: ["one", "two"] } };
  assertEquals(text(RETRY, many), ["one", "two (maybe sent)"]);
});

Deno.test("the schedule is asked with the attempts so far, and a known wait is kept within the life", () => {
  const schedule = { ...DEFAULT_RETRY_SCHEDULE, delaysMs: [60_000, 600_000], jitter: 0 };
  const decide = (facts: {
    counts?: boolean;
    attempts?: number;
    retryAfterMs?: number;
    doubts?: number;
    isUncertain?: boolean;
  }) => {
    const { counts = true, attempts = 0, isUncertain = false, retryAfterMs, doubts } = facts;
    const retry = retryPolicy({
      ...{ schedule, clock: new ManualClock(NOW_MS), random: seededRandom(1) },
    });
    const decision = retry({
      ...{ message, counts, isUncertain },
      recipient: { ...recipient, attempts, ...(doubts === undefined ? {} : { doubts }) },
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    });
    return "nextAttemptAtMs" in decision ? decision.nextAttemptAtMs - NOW_MS : decision;
  };
  assertEquals([decide({}), decide({ attempts: 1 }), decide({ counts: false, attempts: 1 })], [
    ...[60_000, 600_000, 60_000],
  ]);
  assertEquals(decide({ counts: false, retryAfterMs: 5 }), 5);
  assertEquals(decide({ counts: false, retryAfterMs: 2e9 }), 1e9);
  assertEquals(decide({ retryAfterMs: 5 }), 60_000);
  assertEquals(decide({ isUncertain: true, doubts: 1 }), 60_000);
  assertEquals(decide({ isUncertain: true, doubts: 2 }), { kind: "hold", copies: 3 });
});

Deno.test("of two setbacks the one that is known to be over first is waited for", () => {
  const [soon, late] = [{ ...LIMITED, retryAfterMs: 1 }, { ...LIMITED, retryAfterMs: 2 }] as const;
  const open = UNREACHABLE as Setback;
  assertEquals(sooner(null, late as Setback), late as Setback);
  assertEquals(sooner(soon as Setback, late as Setback), soon as Setback);
  assertEquals(sooner(late as Setback, soon as Setback), soon as Setback);
  assertEquals(sooner(open, late as Setback), late as Setback);
  assertEquals(sooner(late as Setback, open), late as Setback);
  assertEquals(sooner(open, SUSPENDED as Setback), SUSPENDED as Setback);
});

Deno.test("somebody is to blame where one is refused and the rest wait without a time", () => {
  const { retryAfterMs: _, ...waiting } = LIMITED as Outcome & { retryAfterMs: number };
  const limited = waiting as Outcome;
  assertEquals(isBlame([REFUSED, limited]), true);
  assertEquals(isBlame([REFUSED, limited, LIMITED]), false);
  assertEquals(isBlame([REFUSED, { ...limited, slowsDown: true } as Outcome]), false);
  assertEquals([isBlame([limited]), isBlame([REFUSED]), isBlame([REFUSED, GREYLISTED])], [
    ...[false, false, false],
  ]);
});

Deno.test("an event says what an attempt came to", () => {
  const report: DeliveryReport = {
    outcomes: [],
    remote: { host: "mx.dest.example", address: "192.0.2.1", port: 25 },
    tls: { version: "TLSv1.3" } as never,
  };
  const eventOf = (outcome: Outcome, rest: { report?: DeliveryReport; durationMs?: number } = {}) =>
    conclusionEvent({
      ...{ conclusion: concluded(outcome as SettlingOutcome).conclusion, message },
      ...{ kind: kindOf(outcome), transport: "out", destination: "dest.example" },
      ...{ nowMs: NOW_MS + 9, report: rest.report ?? null, durationMs: rest.durationMs },
    });
  const about = {
    ...{ messageId: message.id, recipient: "a@dest.example", transport: "out" },
    ...{ destination: "dest.example", remote: "", delayMs: 9 },
  };
  const nextAttemptAtMs = NOW_MS + 5;
  assertEquals(eventOf(GREYLISTED), {
    ...{ ...about, type: "deferred", reply: "451 4.7.1 Greylisted", attempts: 3, nextAttemptAtMs },
  });
  assertEquals(eventOf(LIMITED), {
    ...{ ...about, type: "deferred", reply: "451 4.4.5 Limit", attempts: 2, nextAttemptAtMs },
  });
  assertEquals(eventOf(DELIVERED, { report, durationMs: 4 }), {
    ...{ ...about, type: "delivered", reply: "250 2.0.0 OK", attempts: 3, durationMs: 4 },
    ...{ remote: "mx.dest.example[192.0.2.1]:25", tls: "TLSv1.3" },
  });
  const types = [REFUSED, UNCERTAIN, { ...REFUSED, suppressed: true } as Outcome].map((outcome) =>
    eventOf(outcome).type
  );
  assertEquals(types, ["bounced", "uncertain", "suppressed"]);
});

Deno.test("a next hop is named by what is known of it", () => {
  const named = (host: string, address: string, port = 25) => formatRemote({ host, address, port });
  assertEquals(formatRemote(null), "");
  assertEquals(named("mx.example", "192.0.2.1"), "mx.example[192.0.2.1]:25");
  assertEquals(named("192.0.2.1", "192.0.2.1"), "192.0.2.1[192.0.2.1]:25");
  assertEquals(named("mx.example", "mx.example"), "mx.example:25");
  assertEquals(named("mx.example", ""), "mx.example:25");
  assertEquals(named("lmtp", "/run/lmtp", 0), "/run/lmtp");
});

Deno.test("an attempt leaves one line, with nothing in it that is not known", () => {
  const recipients = [0, 1, 2, 3].map((index) => ({ ...recipient, index }));
  const lines = ["S: 220 mx"];
  const entryOf = (report: Partial<DeliveryReport>, dialogues: "all" | "failed" | "none" = "all") =>
    attemptEntry({ recipients, route: "rest", redirect: null }, {
      ...{ transport: "out", destination: "dest.example", dialogues },
      ...{ startedAtMs: NOW_MS, endedAtMs: NOW_MS + 12 },
      report: { outcomes: [], remote: null, tls: null, ...report },
    });
  const detail = {
    ...{ route: "rest", transport: "out", destination: "dest.example", remote: "" },
    durationMs: 12,
  };
  const ruled = { ...REFUSED, rule: "no such user" } as Outcome;
  const named = { ...DELIVERED, remoteId: "ses:1" } as Outcome;
  const { detail: plain, ...entry } = entryOf({ outcomes: [DELIVERED, ruled, DELIVERED, named] });
  assertEquals(entry, { atMs: NOW_MS, kind: "attempt", recipients: [0, 1, 2, 3] });
  const outcomes = [
    { kind: "delivered", reply: "250 2.0.0 OK", recipients: [0, 2] },
    { kind: "permanent", reply: "550 5.1.1 No", recipients: [1], rule: "no such user" },
    { kind: "delivered", reply: "250 2.0.0 OK", recipients: [3], remoteId: "ses:1" },
  ];
  assertEquals(plain, { ...detail, outcomes });
  assertEquals(Object.keys(plain).length, 6, "nothing is there without a value");
  const dialogue = { lines: () => lines };
  const losses = [{ kind: "signature", what: "DKIM" }] as const;
  const full = entryOf({
    ...{ losses, dialogue, proof: "dane", tls: { version: "TLSv1.3", cipher: "X" } as never },
    remote: { host: "mx", address: "192.0.2.1", port: 25, via: "socks5://p:1" },
  });
  assertEquals(full.detail, {
    ...{ ...detail, remote: "mx[192.0.2.1]:25", proxy: "socks5://p:1", tls: "TLSv1.3 X" },
    ...{ proof: "dane", losses, outcomes: [], dialogue: lines },
  });
  const kept = (choice: "all" | "failed" | "none", outcome: Outcome) =>
    "dialogue" in entryOf({ dialogue, outcomes: [DELIVERED, outcome] }, choice).detail;
  assertEquals([kept("failed", DELIVERED), kept("failed", REFUSED), kept("none", REFUSED)], [
    ...[false, true, false],
  ]);
});
