import { assertEquals } from "@std/assert";
import { LOOK_AGAIN_MS, scheduleAt, sleep, Until } from "../../src/base/clock.ts";
import { Circuit } from "../../src/delivery/circuit.ts";
import { ManualClock } from "../support/manual_clock.ts";

const DAY_MS = 24 * 3_600_000;
const LIMITS = { downMs: 15_000, maxDownMs: 60_000 };

/** Lets an attempt that begins now fail; returns how long it is left alone, null for no news. */
function fail(circuit: Circuit, nowMs: number, retryAfterMs?: number): number | null {
  const asked = retryAfterMs === undefined ? {} : { retryAfterMs };
  const untilMs = circuit.open({ epoch: circuit.epoch, nowMs, reason: "no", ...asked });
  return untilMs === null ? null : untilMs - nowMs;
}

Deno.test("a circuit waits twice as long with each failure, up to the longest", () => {
  const circuit = new Circuit(LIMITS);
  const waits = [1, 2, 3, 4, 5, 60].map((_, count) => fail(circuit, count * DAY_MS));
  assertEquals(waits, [15_000, 30_000, 60_000, 60_000, 60_000, 60_000]);
  assertEquals(circuit.close(), true);
  assertEquals(fail(circuit, 0), 15_000);
});

Deno.test("a peer may ask for a longer wait, of a day at most", () => {
  assertEquals(fail(new Circuit(LIMITS), 0, 10_000), 15_000);
  assertEquals(fail(new Circuit(LIMITS), 0, 3_600_000), 3_600_000);
  assertEquals(fail(new Circuit(LIMITS), 0, 90 * DAY_MS), DAY_MS);
});

Deno.test("attempts that began before a failure count no more than it does", () => {
  const circuit = new Circuit(LIMITS);
  const { epoch } = circuit;
  assertEquals(circuit.open({ epoch, nowMs: 0, reason: "first" }), 15_000);
  assertEquals(circuit.open({ epoch, nowMs: 1, reason: "second" }), null);
  assertEquals(circuit.state(1), { kind: "down", untilMs: 15_000, reason: "first" });
  assertEquals(circuit.state(15_000).kind, "probing");
  assertEquals(circuit.open({ epoch: circuit.epoch, nowMs: 15_000, reason: "probe" }), 45_000);
});

Deno.test("a failure tells nothing any more after twice the longest wait", () => {
  const circuit = new Circuit(LIMITS);
  assertEquals(circuit.isStale(DAY_MS), false);
  fail(circuit, 0);
  assertEquals([circuit.isStale(135_000), circuit.isStale(135_001)], [false, true]);
});

Deno.test("a wait is not made longer by a clock that is set back", () => {
  const until = new Until();
  until.set(DAY_MS + 1_000, DAY_MS);
  assertEquals(until.at(DAY_MS + 400), DAY_MS + 1_000);
  assertEquals(until.at(5_000), 6_000);
  assertEquals(until.at(5_500), 6_000);
  assertEquals(until.at(0), 1_000);
});

Deno.test("what is scheduled for a time is called at it, once", async () => {
  const clock = new ManualClock();
  let calls = 0;
  scheduleAt(clock, { atMs: clock.now() + 100_000, callback: () => calls++ });
  await clock.advance(99_999);
  assertEquals(calls, 0);
  await clock.advance(1);
  await clock.advance(DAY_MS);
  assertEquals([calls, clock.timers], [1, 0]);
});

Deno.test("what is scheduled for a time is no later than the look when the clock is set on", async () => {
  const clock = new ManualClock();
  let calls = 0;
  scheduleAt(clock, { atMs: clock.now() + DAY_MS, callback: () => calls++ });
  clock.set(DAY_MS);
  await clock.advance(LOOK_AGAIN_MS);
  assertEquals(calls, 1);
});

Deno.test("what is scheduled for a time can be cancelled after any number of looks", async () => {
  const clock = new ManualClock();
  const cancel = scheduleAt(clock, {
    atMs: clock.now() + DAY_MS,
    callback: () => {
      throw new Error("called all the same");
    },
  });
  await clock.advance(10 * LOOK_AGAIN_MS);
  cancel();
  assertEquals(clock.timers, 0);
  await clock.advance(DAY_MS);
});

/** A signal that counts its listeners. */
function countedSignal(): { controller: AbortController; listeners: () => number } {
  const controller = new AbortController();
  let count = 0;
  const { signal } = controller;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...args: Parameters<typeof add>) => {
    count++;
    add(...args);
  };
  signal.removeEventListener = (...args: Parameters<typeof remove>) => {
    count--;
    remove(...args);
  };
  return { controller, listeners: () => count };
}

Deno.test("a sleep leaves neither timer nor listener", async () => {
  const clock = new ManualClock();
  const { controller, listeners } = countedSignal();
  const slept = sleep(clock, { delayMs: 10, signal: controller.signal });
  assertEquals([clock.timers, listeners()], [1, 1]);
  await clock.advance(10);
  await slept;
  assertEquals([clock.timers, listeners()], [0, 0]);
  const ended = sleep(clock, { delayMs: 10, signal: controller.signal }).catch(() => "aborted");
  controller.abort();
  assertEquals([await ended, clock.timers], ["aborted", 0]);
});
