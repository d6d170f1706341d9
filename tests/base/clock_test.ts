/** Waiting on a clock that is set, and giving up. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { LOOK_AGAIN_MS, scheduleAt, sleep, systemClock, Until } from "../../src/base/clock.ts";
import { ManualClock } from "../support/manual_clock.ts";

Deno.test("sleep: ends at its time, not before, and leaves no timer and no listener", async () => {
  const clock = new ManualClock();
  const { signal } = new AbortController();
  let removed = 0;
  const remove = signal.removeEventListener.bind(signal);
  signal.removeEventListener = (type: string, listener: EventListener) => {
    removed++;
    remove(type, listener);
  };
  let isOver = false;
  const slept = sleep(clock, { delayMs: 100, signal }).then(() => isOver = true);
  await clock.advance(99);
  assertEquals(isOver, false);
  await clock.advance(1);
  await slept;
  assertEquals([clock.timers, removed], [0, 1]);
  const other = sleep(clock, { delayMs: 1 });
  await clock.advance(1);
  await other;
});

Deno.test("sleep: a signal ends it with its reason, before and while it waits", async () => {
  const clock = new ManualClock();
  await assertRejects(
    () => sleep(clock, { delayMs: 1, signal: AbortSignal.abort(new Error("early")) }),
    Error,
    "early",
  );
  assertEquals(clock.timers, 0);
  const abort = new AbortController();
  const slept = sleep(clock, { delayMs: 1, signal: abort.signal });
  abort.abort(new Error("stop"));
  await assertRejects(() => slept, Error, "stop");
  assertEquals(clock.timers, 0);
});

Deno.test("scheduleAt: at its time by the clock, once, however far away", async () => {
  for (const delayMs of [-5, 0, 1, LOOK_AGAIN_MS, LOOK_AGAIN_MS + 1, 3_600_000]) {
    const clock = new ManualClock();
    let calls = 0;
    scheduleAt(clock, { atMs: clock.now() + delayMs, callback: () => calls++ });
    if (delayMs > 0) {
      await clock.advance(delayMs - 1);
      assertEquals(calls, 0, `${delayMs}`);
    }
    await clock.advance(1);
    assertEquals([calls, clock.timers], [1, 0], `${delayMs}`);
  }
});

Deno.test("scheduleAt: a clock that is set is noticed within half a minute, both ways", async () => {
  const clock = new ManualClock();
  let calls = 0;
  scheduleAt(clock, { atMs: clock.now() + 3_600_000, callback: () => calls++ });
  clock.set(3_600_000);
  await clock.advance(LOOK_AGAIN_MS - 1);
  assertEquals(calls, 0);
  await clock.advance(1);
  assertEquals(calls, 1);
  scheduleAt(clock, { atMs: clock.now() + 1_000, callback: () => calls++ });
  clock.set(-10_000);
  await clock.advance(1_000);
  assertEquals(calls, 1);
  await clock.advance(10_000);
  assertEquals(calls, 2);
});

Deno.test("scheduleAt: what is cancelled is not called, also after a look", async () => {
  for (const waitMs of [0, 2 * LOOK_AGAIN_MS]) {
    const clock = new ManualClock();
    let calls = 0;
    const cancel = scheduleAt(clock, { atMs: clock.now() + 1e6, callback: () => calls++ });
    await clock.advance(waitMs);
    cancel();
    assertEquals(clock.timers, 0);
    await clock.advance(2e6);
    assertEquals(calls, 0);
  }
});

Deno.test("until: a clock that is set back makes a wait no longer, one set forward ends it", () => {
  const until = new Until();
  assertEquals(until.at(0), 0);
  until.set(1_000, 400);
  assertEquals([until.at(400), until.at(900)], [1_000, 1_000]);
  assertEquals(until.at(300), 900);
  assertEquals(until.at(350), 900, "it goes on from there");
  assertEquals(until.at(0), 600);
  assertEquals(until.at(5_000), 600);
});

Deno.test("the system's clock: its timers can be cancelled, and its scales go on", async () => {
  const before = [systemClock.now(), systemClock.monotonic()];
  let calls = 0;
  systemClock.schedule(0, () => calls++)();
  await new Promise<void>((resolve) => systemClock.schedule(1, resolve));
  assertEquals(calls, 0);
  assert(Math.abs(systemClock.now() - Date.now()) < 60_000);
  assert(systemClock.monotonic() > (before[1] ?? 0));
});
