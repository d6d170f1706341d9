import { assertEquals } from "@std/assert";
import { UserRates } from "../../src/policy/user_rate.ts";
import { CountKeeper } from "../../src/queue/count_keeper.ts";
import type { QueueStore } from "../../src/queue/store.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { StoreFolder } from "./folder.ts";

const HOUR_MS = 3_600_000;
const RULES = { name: "ada", messagesPerHour: 3, messagesPerDay: 5 };

/** What users counted, as one process has it. */
async function ratesOn(store: QueueStore, clock: ManualClock) {
  const rates = new UserRates();
  const errors: unknown[] = [];
  const keeper = new CountKeeper({
    ...{ book: rates, space: "user counts", shelf: store.shelf, clock },
    onError: (error) => errors.push(error),
  });
  await keeper.load();
  const take = (): string => rates.take(RULES, clock.now()).kind;
  return { take, rates, keeper, errors };
}

Deno.test("the quotas of a user go on where they were after a restart", async () => {
  await using folder = await StoreFolder.make();
  const clock = new ManualClock(Date.UTC(2026, 0, 1, 8));
  {
    await using store = await folder.open({ clock });
    const { take, keeper } = await ratesOn(store, clock);
    assertEquals([take(), take(), take(), take()], ["accept", "accept", "accept", "refuse"]);
    await keeper[Symbol.asyncDispose]();
  }
  {
    await using store = await folder.open({ clock });
    const killed = await ratesOn(store, clock);
    assertEquals(killed.take(), "refuse");
    await clock.advance(2 * HOUR_MS);
    assertEquals([killed.take(), killed.take(), killed.take()], ["accept", "accept", "refuse"]);
    await clock.advance(1_000); // What was counted is on disk a second later, before any stop.
  }
  await using store = await folder.open({ clock });
  const { take, rates, errors } = await ratesOn(store, clock);
  assertEquals([rates.size, take()], [1, "refuse"]);
  await clock.advance(48 * HOUR_MS);
  assertEquals((await ratesOn(store, clock)).rates.size, 0, "old counts are forgotten");
  assertEquals(errors, []);
});

Deno.test("damaged counts are passed over", async () => {
  await using folder = await StoreFolder.make();
  const clock = new ManualClock();
  await using store = await folder.open({ clock });
  for (const value of ["{", "7", "null", `{"dayCount":"many"}`]) {
    await store.shelf.put("user counts", { key: "ada", value, expiresAtMs: null });
    assertEquals((await ratesOn(store, clock)).take(), "accept");
  }
});
