/** Limits one by one: what is counted, what is given back, and how long anything is remembered. */
import { assertEquals } from "@std/assert";
import { ExchangerBook } from "../../../src/delivery/shaping/exchangers.ts";
import { Gate } from "../../../src/delivery/shaping/gate.ts";
import { Limiter, type Limits } from "../../../src/delivery/shaping/limiter.ts";
import { LimiterBook } from "../../../src/delivery/shaping/limiter_book.ts";
import { Pace } from "../../../src/delivery/shaping/pace.ts";
import { Rate } from "../../../src/delivery/shaping/rate.ts";
import { Recent } from "../../../src/delivery/shaping/recent.ts";
import type { DnsResult, MxRecord } from "../../../src/net/resolver.ts";
import { ManualClock } from "../../support/manual_clock.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

function limiterOf(limits: Partial<Limits>, isGroup = false): Limiter {
  return new Limiter("rule", { rates: [], ...limits }, { isGroup });
}

function lesson(nowMs: number, { startedAtMs = nowMs, perSecond = 4 } = {}) {
  return { nowMs, startedAtMs, observedPerMs: perSecond / 1000, reason: "421 too fast" };
}

Deno.test("a pace below the slowest is that, and holds until it was tried whether more is taken", () => {
  const pace = new Pace();
  pace.slowDown(lesson(0, { perSecond: 1 / 3_600 }));
  assertEquals([pace.isActive(0), pace.intervalMs(0), pace.readyAtMs(0)], [
    true,
    MINUTE_MS,
    MINUTE_MS,
  ]);
  assertEquals([pace.isActive(29_999), pace.isActive(30_000)], [true, false]);
});

Deno.test("a pace is forgotten when it is twice what it was at first, not after a later lesson", () => {
  const pace = new Pace();
  pace.slowDown(lesson(0));
  pace.slowDown(lesson(1_000));
  // 1 a second, a quarter more each half minute: above 8 a second after ten steps.
  const learned = [1, 2, 9].map((steps) => pace.learned(1_000 + steps * 30_000)?.sinceMs ?? null);
  assertEquals(learned, [0, 0, 0]);
  assertEquals(pace.learned(1_000 + 10 * 30_000), null);
});

Deno.test("each attempt takes its place in a pace, one after the other", () => {
  const pace = new Pace();
  pace.begin(0);
  assertEquals([pace.readyAtMs(0), pace.intervalMs(0)], [0, 0]);
  pace.slowDown(lesson(0));
  assertEquals(pace.readyAtMs(0), 500);
  pace.begin(500);
  assertEquals(pace.readyAtMs(500), 1_000);
  pace.begin(4_000);
  assertEquals(pace.readyAtMs(4_000), 4_500);
  assertEquals(pace.readyAtMs(-10_000), -9_500, "the clock was set back");
});

Deno.test("what happened of late is counted over two spans", () => {
  const recent = new Recent();
  assertEquals(recent.perMs(0), 1 / 1_000);
  for (let count = 0; count < 20; count++) recent.add(0);
  assertEquals(recent.perMs(500), 20 / 1_000);
  assertEquals(recent.perMs(9_999), 20 / 9_999);
  recent.add(12_000);
  assertEquals(recent.perMs(12_000), 21 / 12_000);
  assertEquals(recent.perMs(19_999), 21 / 19_999);
  assertEquals(recent.perMs(20_000), 1 / 10_000, "the span before last is forgotten");
  recent.add(20_000);
  recent.add(1_000); // the clock was set back
  assertEquals(recent.perMs(1_000), 3 / 10_000);
  assertEquals(recent.perMs(500_000), 1 / 1_000);
});

Deno.test("a limiter counts attempts under way, and is fresh when none is and none counts", () => {
  const limiter = limiterOf({ concurrency: 3, connections: 2 });
  assertEquals([limiter.isFresh(0), limiter.readyAtMs(0)], [true, 0]);
  limiter.begin(0);
  assertEquals([limiter.isFresh(0), limiter.readyAtMs(0), limiter.running], [false, 0, 1]);
  limiter.begin(0);
  assertEquals([limiter.readyAtMs(0), limiter.rateReadyAtMs(0)], [Infinity, 0]);
  limiter.end();
  assertEquals([limiter.readyAtMs(0), limiter.running], [0, 1]);
  limiter.end();
  assertEquals(limiter.isFresh(0), true);

  const slow = limiterOf({ rates: [{ count: 1, perMs: 2_000 }, { count: 1, perMs: 5_000 }] });
  slow.begin(0);
  slow.end();
  assertEquals([slow.readyAtMs(0), slow.intervalMs(0), slow.rateReadyBehindMs(0, 2)], [
    5_000,
    5_000,
    15_000,
  ]);
  assertEquals([slow.isFresh(4_999), slow.isFresh(5_000)], [false, true]);

  const group = limiterOf({}, true);
  group.begin(0);
  group.pace?.slowDown({ nowMs: 0, startedAtMs: 0, reason: "421" });
  group.end();
  assertEquals([group.isFresh(0), group.intervalMs(0)], [false, 2_000]);
  assertEquals([group.readyAtMs(0), group.rateReadyBehindMs(500, 2)], [2_000, 6_000]);
});

Deno.test("the most recipients and whether connections are limited are those of all rules", () => {
  const gate = new Gate([limiterOf({ recipients: 7 }), limiterOf({ recipients: 3 })]);
  assertEquals([gate.maxRecipients, gate.limitsConnections], [3, false]);
  assertEquals(new Gate([]).maxRecipients, Infinity);
  assertEquals(new Gate([limiterOf({}), limiterOf({ connections: 1 })]).limitsConnections, true);
});

Deno.test("turns are given one after the other, none farther than a quarter of an hour", () => {
  const gate = new Gate([limiterOf({ rates: [{ count: 1, perMs: 5 * MINUTE_MS }] })]);
  const turn = (waiting: number, isFresh = true) => gate.turnFor({ nowMs: 0, waiting, isFresh });
  assertEquals(turn(0), null, "it may begin now");
  gate.begin(0);
  assertEquals(turn(0, false), 5 * MINUTE_MS);
  assertEquals(turn(0), 10 * MINUTE_MS);
  assertEquals(turn(0), 15 * MINUTE_MS);
  assertEquals([turn(0), turn(0)], [15 * MINUTE_MS, 15 * MINUTE_MS]);
  const later = { nowMs: 20 * MINUTE_MS, waiting: 0 };
  assertEquals(gate.turnFor({ ...later, isFresh: false }), null);
  assertEquals(gate.turnFor({ nowMs: 0, waiting: 2, isFresh: false }), 15 * MINUTE_MS);
});

Deno.test("turns of before the clock was set back keep nobody waiting", () => {
  const gate = new Gate([limiterOf({ rates: [{ count: 1, perMs: MINUTE_MS }] })]);
  gate.begin(DAY_MS);
  gate.turnFor({ nowMs: DAY_MS, waiting: 0, isFresh: true });
  gate.turnFor({ nowMs: DAY_MS, waiting: 0, isFresh: true });
  const turnAtMs = gate.turnFor({ nowMs: 0, waiting: 0, isFresh: true }) ?? Infinity;
  assertEquals(turnAtMs <= 15 * MINUTE_MS, true);
});

Deno.test("fresh mail waits for no turns of a pace that is forgotten", () => {
  const pace = new Pace();
  const gate = new Gate([], pace);
  pace.slowDown(lesson(0, { perSecond: 1 / 60 }));
  for (let count = 0; count < 10; count++) gate.turnFor({ nowMs: 0, waiting: 20, isFresh: true });
  const nowMs = 30_000 * 8;
  assertEquals(pace.isActive(nowMs), false);
  assertEquals(gate.turnFor({ nowMs, waiting: 0, isFresh: true }), null);
});

Deno.test("a gate says why mail waits, and until when", () => {
  const limiter = limiterOf({ rates: [{ count: 1, perMs: MINUTE_MS }] });
  const gate = new Gate([limiter]);
  assertEquals(gate.reason(0), "Limit reached");
  assertEquals(gate.view(0).readyAtMs, null);
  gate.begin(0);
  assertEquals(gate.reason(0), "Limit of rule reached");
  assertEquals(gate.view(0).readyAtMs, MINUTE_MS);
  gate.end();
  const other = new Gate([limiterOf({ concurrency: 1 })]);
  other.begin(0);
  assertEquals([other.view(0).readyAtMs, other.readyAtMs(0)], [null, Infinity]);
  other.slowDown(lesson(0));
  assertEquals(other.reason(0), "Throttled after: 421 too fast");
  assertEquals(other.view(0).learned?.perMinute, 120);
  assertEquals(other.isForgettable(0), false);
  other.end();
  assertEquals(other.readyAtMs(0), 500);
});

Deno.test("other limits leave what a destination taught", () => {
  const gate = new Gate([limiterOf({ concurrency: 1 })]);
  gate.slowDown(lesson(0));
  const next = gate.withLimitsOf(new Gate([limiterOf({ recipients: 2 })]));
  assertEquals([next.maxRecipients, next.readyAtMs(0)], [2, 500]);
  assertEquals(gate.withLimitsOf(null).readyAtMs(0), 500);
});

Deno.test("the slowest of what a destination and its provider taught is shown", () => {
  const group = limiterOf({}, true);
  const gate = new Gate([group, limiterOf({}, true)], new Pace());
  group.begin(0);
  gate.slowDown(lesson(0));
  const pace = new Pace();
  pace.slowDown(lesson(0, { perSecond: 0.1 }));
  assertEquals(new Gate([group], pace).view(0).learned?.perMinute, 3);
  assertEquals(gate.view(0).learned?.perMinute, 30);
});

Deno.test("a rate that is taken up counts no less than it did, and no longer than it may", () => {
  const rate = new Rate({ count: 10, perMs: DAY_MS });
  rate.restore(90 * DAY_MS, 0);
  assertEquals(rate.fullAtMs <= DAY_MS, true);
  const known = rate.fullAtMs;
  rate.restore(0, 0);
  assertEquals(rate.fullAtMs, known);
});

Deno.test("limiters that nothing counts any more are forgotten when there are many", () => {
  const clock = new ManualClock(0);
  const book = new LimiterBook({ clock });
  const rule = {
    ...{ name: "each", match: {}, shared: false },
    limits: { rates: [{ count: 1, perMs: 1_000 }] },
  };
  const first = book.limiterOf(rule, ["out", "first.example"]);
  const busy = book.limiterOf(rule, ["out", "busy.example"]);
  busy.begin(0);
  for (let count = 0; count < 20_000; count++) book.limiterOf(rule, ["out", `d${count}.example`]);
  assertEquals(book.limiterOf(rule, ["out", "busy.example"]) === busy, true);
  assertEquals(book.limiterOf(rule, ["out", "first.example"]) === first, false);
});

type MxAnswer = DnsResult<MxRecord>;
const FACTS = { ttlMs: 0, authentic: false, canonicalName: "" };

/** A book over a DNS that answers as the test says. */
function exchangers(answer: () => Promise<MxAnswer>) {
  const clock = new ManualClock();
  let asked = 0;
  const mx = () => {
    asked++;
    return answer();
  };
  const book = new ExchangerBook({ clock, resolver: { mx } });
  const find = async (domain = "a.example") => {
    if (book.get(domain) === null) await book.lookUp(domain);
    return book.get(domain);
  };
  return { clock, book, find, asked: () => asked };
}

const HOSTS: readonly [MxAnswer, readonly string[], keptMs: number][] = [
  [
    {
      ...{ kind: "found", ...FACTS },
      records: [{ preference: 1, exchange: "MX.A.example." }],
    },
    ["mx.a.example"],
    600_000,
  ],
  [{ kind: "none", ...FACTS }, ["a.example"], 600_000],
  [{ kind: "nonexistent", ...FACTS }, [], 600_000],
  [{ kind: "temporary", reason: "timeout" }, [], 60_000],
];

for (const [answer, hosts, keptMs] of HOSTS) {
  Deno.test(`exchangers are kept for ${keptMs} ms where the answer is ${answer.kind}`, async () => {
    const { clock, find, asked } = exchangers(() => Promise.resolve(answer));
    assertEquals(await find(), hosts);
    await clock.advance(keptMs - 1);
    assertEquals([await find(), asked()], [hosts, 1]);
    await clock.advance(1);
    assertEquals([await find(), asked()], [hosts, 2]);
  });
}

Deno.test("exchangers are asked for once at a time, again after a failure, and not for literals", async () => {
  let isBroken = true;
  const { book, asked } = exchangers(() =>
    isBroken ? Promise.reject(new Error("no")) : Promise.resolve({ kind: "none", ...FACTS })
  );
  assertEquals(book.get("[192.0.2.1]"), []);
  const both = [book.lookUp("a.example"), book.lookUp("a.example")];
  assertEquals((await Promise.allSettled(both)).map(({ status }) => status), [
    "rejected",
    "rejected",
  ]);
  assertEquals(asked(), 1);
  isBroken = false;
  await book.lookUp("a.example");
  assertEquals([book.get("a.example"), asked()], [["a.example"], 2]);
});

Deno.test("only so many domains' exchangers are remembered, the oldest goes first", async () => {
  const { book } = exchangers(() => Promise.resolve({ kind: "none", ...FACTS }));
  await book.lookUp("first.example");
  await book.lookUp("second.example");
  await book.lookUp("first.example");
  for (let count = 0; count < 9_999; count++) await book.lookUp(`d${count}.example`);
  assertEquals([book.get("first.example"), book.get("second.example")], [["first.example"], null]);
});

Deno.test("a gate that gave turns is remembered until the last of them", () => {
  const gate = new Gate([limiterOf({ rates: [{ count: 1, perMs: MINUTE_MS }] })]);
  assertEquals(gate.isForgettable(0), true);
  gate.begin(0);
  const turnAtMs = gate.turnFor({ nowMs: 0, waiting: 10, isFresh: false }) ?? 0;
  assertEquals([gate.isForgettable(0), gate.isForgettable(turnAtMs)], [false, true]);
});
