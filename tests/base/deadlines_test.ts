/** Many deadlines on one timer: never early, at most two ticks late, and no timer for none. */
import { assert, assertEquals } from "@std/assert";
import { Deadlines } from "../../src/base/deadlines.ts";
import { ManualClock } from "../support/manual_clock.ts";

Deno.test("deadlines: never early, at most two ticks late, once", async () => {
  for (const offsetMs of [0, 1, 250, 499]) {
    for (const delayMs of [1, 499, 500, 501, 10_000]) {
      const clock = new ManualClock();
      using deadlines = new Deadlines({ clock });
      const times: number[] = [];
      const deadline = deadlines.add(() => times.push(clock.now()));
      await clock.advance(offsetMs);
      const setMs = clock.now();
      deadline.set(delayMs);
      await clock.advance(30_000);
      assertEquals(times.length, 1);
      const tookMs = (times[0] ?? 0) - setMs;
      assert(tookMs >= delayMs && tookMs <= delayMs + 1_000, `${offsetMs} ${delayMs} ${tookMs}`);
    }
  }
});

Deno.test("deadlines: one that is moved, cleared or done with does not pass", async () => {
  const clock = new ManualClock();
  using deadlines = new Deadlines({ clock, granularityMs: 100 });
  const passed: string[] = [];
  const [moved, cleared, done, still] = ["moved", "cleared", "done", "still"].map((name) =>
    deadlines.add(() => passed.push(name))
  );
  for (const deadline of [moved, cleared, done, still]) deadline?.set(1_000);
  await clock.advance(900);
  moved?.set(1_000);
  cleared?.clear();
  done?.dispose();
  await clock.advance(500);
  assertEquals(passed, ["still"]);
  await clock.advance(2_000);
  assertEquals(passed, ["still", "moved"]);
  cleared?.set(100);
  await clock.advance(300);
  assertEquals(passed, ["still", "moved", "cleared"], "it can be set again");
});

Deno.test("deadlines: a tick for as long as there is one, and again for the next", async () => {
  const clock = new ManualClock();
  const deadlines = new Deadlines({ clock, granularityMs: 100 });
  assertEquals(clock.timers, 0);
  const first = deadlines.add(() => {});
  deadlines.add(() => {}).dispose();
  assertEquals(clock.timers, 1, "one timer for all");
  await clock.advance(250);
  assertEquals([deadlines.elapsedMs, clock.timers], [200, 1]);
  first.dispose();
  await clock.advance(100);
  assertEquals(clock.timers, 0);
  deadlines.add(() => {});
  assertEquals(clock.timers, 1);
  deadlines[Symbol.dispose]();
  assertEquals(clock.timers, 0);
});
