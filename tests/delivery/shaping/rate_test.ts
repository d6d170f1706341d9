import { assert, assertEquals } from "@std/assert";
import { seededRandom } from "../../../src/base/random.ts";
import { Pace } from "../../../src/delivery/shaping/pace.ts";
import { Rate } from "../../../src/delivery/shaping/rate.ts";
import { capAt } from "../../../src/delivery/shaping/warm_up.ts";

const LIMITS = [
  { count: 1, perMs: 60_000 },
  { count: 7, perMs: 1_000 },
  { count: 100, perMs: 1_000 },
  { count: 500, perMs: 60_000 },
];

for (const limit of LIMITS) {
  Deno.test(`a rate of ${limit.count} in ${limit.perMs} ms is never exceeded and nearly used`, () => {
    const rate = new Rate(limit);
    const random = seededRandom(limit.count);
    const taken: number[] = [];
    const endMs = 20 * limit.perMs;
    for (let nowMs = 0; nowMs < endMs;) {
      if (rate.readyAtMs(nowMs) <= nowMs) {
        rate.take(nowMs);
        taken.push(nowMs);
      } else {
        // Comes back in time or late, as a busy machine does.
        nowMs = rate.readyAtMs(nowMs) + (random.float() < 0.1 ? random.float() * 20 : 0);
      }
    }
    taken.forEach((fromMs, index) => {
      const after = taken[index + limit.count];
      assert(after === undefined || after >= fromMs + limit.perMs - 1e-6, `${index}`);
    });
    assert(taken.length > 14 * limit.count, `${taken.length}`);
  });
}

Deno.test("a pace is halved by each refusal, recovers and is forgotten", () => {
  const pace = new Pace();
  const lesson = (nowMs: number) => ({
    ...{ nowMs, startedAtMs: nowMs, reason: "421 too fast" },
    observedPerMs: 4 / 1000,
  });
  pace.slowDown(lesson(1_000));
  assertEquals(pace.learned(1_000)?.perMinute, 120);
  assertEquals(pace.readyAtMs(1_000), 1_500);
  pace.slowDown({ ...lesson(1_100), startedAtMs: 900 }); // began before the first lesson
  assertEquals(pace.learned(1_100)?.perMinute, 120);
  pace.slowDown(lesson(2_000));
  assertEquals(pace.learned(2_000)?.perMinute, 60);
  assertEquals(pace.learned(32_000)?.perMinute, 75);
  assertEquals(pace.learned(2_000 + 11 * 30_000), null);
  assertEquals(pace.readyAtMs(2_000 + 11 * 30_000), 0);
});

Deno.test("a warm-up plan has the first day's cap before it begins and none after its end", () => {
  const plan = { startMs: Date.UTC(2026, 8, 1), perDay: [50, 100] };
  const at = (day: number, hour: number) => capAt(plan, Date.UTC(2026, 8, day, hour));
  assertEquals([at(0, 12), at(1, 0), at(1, 23), at(2, 5), at(3, 0)], [50, 50, 50, 100, null]);
});
