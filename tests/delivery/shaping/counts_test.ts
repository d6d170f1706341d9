import { assertEquals } from "@std/assert";
import { CountKeeper } from "../../../src/queue/count_keeper.ts";
import type { Limits } from "../../../src/delivery/shaping/limiter.ts";
import { LimiterBook } from "../../../src/delivery/shaping/limiter_book.ts";
import { Rate } from "../../../src/delivery/shaping/rate.ts";
import { openMemoryStore } from "../../../src/queue/memory/store.ts";
import { ManualClock } from "../../support/manual_clock.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const PLACE = ["out", "a.example"] as const;

function ruleOf(limits: Partial<Limits>, { shared = true } = {}) {
  return { name: "cap", match: {}, shared, limits: { rates: [], ...limits } };
}

/** A book whose counts are kept in `shelf`. */
async function bookOn({ shelf, clock }: {
  shelf: ReturnType<typeof openMemoryStore>["shelf"];
  clock: ManualClock;
}) {
  const book = new LimiterBook({ clock });
  const errors: unknown[] = [];
  const keeper = new CountKeeper({
    ...{ book, space: "limit counts", shelf, clock },
    onError: (error) => errors.push(error),
  });
  await keeper.load();
  return { book, keeper, errors };
}

/** How many may begin now, one after the other. */
function take(book: LimiterBook, clock: ManualClock, rule = ruleOf({})): number {
  const limiter = book.limiterOf(rule, PLACE);
  let count = 0;
  for (; limiter.readyAtMs(clock.now()) <= clock.now(); count++) {
    limiter.begin(clock.now());
    limiter.end();
  }
  return count;
}

const CAPS: readonly [name: string, limits: Partial<Limits>, first: number][] = [
  ["a limit of a day", { rates: [{ count: 50, perMs: DAY_MS }] }, 5],
  ["a limit of an hour", { rates: [{ count: 30, perMs: HOUR_MS }] }, 3],
  ["a warm-up plan", { warmUp: { startMs: Date.UTC(2026, 0, 1), perDay: [80, 90] } }, 8],
];

for (const shared of [true, false]) {
  for (const [name, limits, first] of CAPS) {
    Deno.test(`${name}${shared ? ", shared," : ""} is not exceeded by a restart`, async () => {
      const clock = new ManualClock();
      await using store = openMemoryStore({ clock });
      const rule = ruleOf(limits, { shared });
      const before = await bookOn({ shelf: store.shelf, clock });
      assertEquals(take(before.book, clock, rule), first);
      await before.keeper[Symbol.asyncDispose]();

      const after = await bookOn({ shelf: store.shelf, clock });
      assertEquals(take(after.book, clock, rule), 0);
      const readyAtMs = (book: LimiterBook) => book.limiterOf(rule, PLACE).readyAtMs(clock.now());
      assertEquals(readyAtMs(after.book), readyAtMs(before.book));
      assertEquals([...before.errors, ...after.errors], []);
      await after.keeper[Symbol.asyncDispose]();
    });
  }
}

Deno.test("what was counted is on disk a second later, before any stop", async () => {
  const clock = new ManualClock();
  await using store = openMemoryStore({ clock });
  const rule = ruleOf({ rates: [{ count: 50, perMs: DAY_MS }] });
  const killed = await bookOn({ shelf: store.shelf, clock });
  take(killed.book, clock, rule);
  await clock.advance(1_000);
  const after = await bookOn({ shelf: store.shelf, clock });
  assertEquals(take(after.book, clock, rule), 0);
});

Deno.test("counts of limits below an hour stay in memory, and old ones are forgotten", async () => {
  const clock = new ManualClock();
  await using store = openMemoryStore({ clock });
  const { book, keeper } = await bookOn({ shelf: store.shelf, clock });
  const listed = async () => await store.shelf.list({ space: "limit counts", limit: 10 });
  take(book, clock, ruleOf({ rates: [{ count: 5, perMs: 60_000 }] }));
  assertEquals(book.takeChanged(), []);
  const daily = { ...ruleOf({ rates: [{ count: 5, perMs: DAY_MS }] }), name: "daily" };
  take(book, clock, daily);
  await clock.advance(1_000);
  assertEquals((await listed()).length, 1);
  await clock.advance(DAY_MS);
  assertEquals((await listed()).length, 0);
  await keeper[Symbol.asyncDispose]();
});

Deno.test("rules that are replaced keep what they counted, as far as they limit the same", () => {
  const clock = new ManualClock();
  const book = new LimiterBook({ clock });
  const fifty = ruleOf({ rates: [{ count: 50, perMs: DAY_MS }], concurrency: 1 });
  assertEquals(take(book, clock, fifty), 5);
  const running = book.limiterOf(fifty, PLACE);
  running.begin(clock.now());

  book.replaceRules([structuredClone(fifty)]);
  assertEquals(book.limiterOf(fifty, PLACE), running);

  const more = ruleOf({ rates: [{ count: 500, perMs: DAY_MS }] });
  book.replaceRules([more]);
  assertEquals(take(book, clock, more), 0);
  assertEquals(book.takeChanged().length, 1, "on disk it stands as the new rule counts it");
  running.end();

  book.replaceRules([]);
  book.replaceRules([more]);
  assertEquals(take(book, clock, more), 50);
});

Deno.test("long limits let a tenth leave together, and never more than their count", () => {
  const rate = new Rate({ count: 50, perMs: DAY_MS });
  const taken: number[] = [];
  for (let nowMs = 0; nowMs < 3 * DAY_MS;) {
    if (rate.readyAtMs(nowMs) > nowMs) nowMs = rate.readyAtMs(nowMs);
    else {
      rate.take(nowMs);
      taken.push(nowMs);
    }
  }
  assertEquals(taken.filter((atMs) => atMs === 0).length, 5);
  taken.forEach((fromMs, index) => {
    const after = taken[index + 50];
    assertEquals(after === undefined || after >= fromMs + DAY_MS - 1e-3, true, `${index}`);
  });
  assertEquals(taken.length > 3 * 45, true);
});
