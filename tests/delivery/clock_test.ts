import { assertEquals } from "@std/assert";
import { LOOK_AGAIN_MS } from "../../src/base/clock.ts";
import type { Outcome } from "../../src/delivery/transport.ts";
import { Shaper } from "../../src/delivery/shaping/shaper.ts";
import { storeFresh } from "../../src/queue/store_fresh.ts";
import { ManualClock } from "../support/manual_clock.ts";
import {
  DELIVERED,
  FakeTransport,
  freshMessage,
  GREYLISTED,
  setUp,
  stateOf,
  UNREACHABLE,
} from "./scheduler_setup.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

for (
  const [words, byMs] of [["on by a day", DAY_MS], [
    "back by a day",
    -DAY_MS,
  ]] as const
) {
  Deno.test(`nothing is sent twice when the clock is set ${words} while attempts run`, async () => {
    const ends: (() => void)[] = [];
    const out = new FakeTransport({
      answer: () => new Promise((resolve) => ends.push(() => resolve(DELIVERED))),
    });
    const { clock, store, scheduler, put } = setUp({ transports: [out] });
    for (let count = 0; count < 20; count++) await put(`d${count}.example`);
    scheduler.start();
    await clock.advance(0);
    clock.set(byMs);
    scheduler.wake();
    await clock.advance(HOUR_MS);
    assertEquals(scheduler.audit(), []);
    assertEquals(out.jobs.length, 20);
    for (const end of ends.splice(0)) end();
    await clock.advance(HOUR_MS);
    assertEquals([out.jobs.length, ends.length], [20, 0]);
    assertEquals((await store.stats()).recipients.delivered, 20);
    await scheduler.stop({ limitMs: 0 });
  });

  Deno.test(`a fresh message is sent once when the clock is set ${words} before its commit`, async () => {
    const out = new FakeTransport({ answer: () => new Promise(() => {}) });
    const { clock, store, scheduler } = setUp({ transports: [out] });
    scheduler.start();
    const message = freshMessage({
      id: "FRESH",
      domain: "a.example",
      nowMs: clock.now(),
    });
    clock.set(byMs);
    await storeFresh([message], { store, scheduler });
    scheduler.wake();
    await clock.advance(2 * DAY_MS);
    assertEquals(out.jobs.length, 1);
  });
}

Deno.test("due mail is not late by what was left on a timer when the clock is set on", async () => {
  const out = new FakeTransport({ answer: () => GREYLISTED });
  const { clock, scheduler, put } = setUp({ transports: [out] });
  await put("a.example");
  scheduler.start();
  await clock.advance(10 * HOUR_MS);
  const before = out.jobs.length; // the next one is due in hours
  clock.set(5 * HOUR_MS);
  await clock.advance(LOOK_AGAIN_MS);
  assertEquals(out.jobs.length, before + 1);
  await scheduler.stop({ limitMs: 0 });
});

Deno.test("a machine that slept tries what became due meanwhile", async () => {
  const out = new FakeTransport({ answer: () => GREYLISTED });
  const { clock, store, scheduler, put } = setUp({ transports: [out] });
  const id = await put("a.example");
  scheduler.start();
  await clock.advance(0);
  clock.set(5 * DAY_MS);
  await clock.advance(LOOK_AGAIN_MS);
  assertEquals(await stateOf(store, id), "expired");
  await scheduler.stop({ limitMs: 0 });
});

Deno.test("what is down is probed in its time when the clock is set back", async () => {
  let outcome: Outcome = UNREACHABLE;
  const out = new FakeTransport({ answer: () => outcome });
  const { clock, store, scheduler, put } = setUp({ transports: [out] });
  await put("a.example");
  scheduler.start();
  await clock.advance(0);
  clock.set(-DAY_MS);
  outcome = DELIVERED;
  const id = await put("a.example");
  await clock.advance(60_000);
  assertEquals(await stateOf(store, id), "delivered");
  await scheduler.stop({ limitMs: 0 });
});

Deno.test("a failure counts though the clock was set back since the last one", async () => {
  const out = new FakeTransport({ answer: () => UNREACHABLE });
  const { clock, scheduler, put } = setUp({ transports: [out] });
  await put("a.example");
  scheduler.start();
  await clock.advance(0);
  clock.set(-DAY_MS);
  scheduler.probe({ domain: "a.example" });
  await put("a.example");
  scheduler.wake();
  await clock.advance(0);
  assertEquals(out.jobs.length, 2);
  assertEquals(
    scheduler.destinationOf(out, "a.example")?.state(clock.now()).kind,
    "down",
  );
  await scheduler.stop({ limitMs: 0 });
});

Deno.test("a limit is over in its time when the clock is set back", async () => {
  const clock = new ManualClock();
  const limits = { rates: [{ count: 1, perMs: 4_000 }] };
  const rules = [{ name: "slow", match: {}, shared: true, limits }];
  const shaper = new Shaper(rules, {
    clock,
    resolver: { mx: () => Promise.reject() },
  });
  const out = new FakeTransport();
  const { scheduler, put } = setUp({ transports: [out], shaper, clock });
  await put("a.example");
  await put("a.example");
  scheduler.start();
  await clock.advance(0);
  clock.set(-DAY_MS);
  await clock.advance(LOOK_AGAIN_MS);
  assertEquals(out.jobs.length, 2);
  await scheduler.stop({ limitMs: 0 });
});

Deno.test("an allowance is waited for no longer when the clock is set back", async () => {
  const out = new FakeTransport();
  const deliver = out.deliver.bind(out);
  out.deliver = async (job) => {
    return {
      ...await deliver(job),
      rate: { remaining: 0, resetAfterMs: 20_000 },
    };
  };
  const { clock, scheduler, put } = setUp({ transports: [out] });
  await put("a.example");
  scheduler.start();
  await clock.advance(0);
  clock.set(-DAY_MS);
  await put("a.example");
  scheduler.wake();
  await clock.advance(0);
  await clock.advance(LOOK_AGAIN_MS);
  assertEquals(out.jobs.length, 2);
  await scheduler.stop({ limitMs: 0 });
});

Deno.test("mail of a crowded domain is claimed as soon as places are free", async () => {
  const ends: (() => void)[] = [];
  const out = new FakeTransport({
    answer: ({ domain }) =>
      domain === "crowd.example"
        ? new Promise((resolve) => ends.push(() => resolve(DELIVERED)))
        : new Promise(() => {}),
  });
  const { clock, scheduler, put } = setUp({
    transports: [out],
    window: 100,
    perDomain: 4,
  });
  for (let count = 0; count < 40; count++) await put(`d${count}.example`);
  for (let count = 0; count < 8; count++) await put("crowd.example");
  scheduler.start();
  await clock.advance(0);
  const crowd = () => out.jobs.filter(({ domain }) => domain === "crowd.example").length;
  assertEquals(crowd(), 4);
  for (const end of ends.splice(0, 2)) end();
  await clock.advance(0);
  assertEquals(crowd(), 6);
  for (const end of ends.splice(0, 1)) end();
  await clock.advance(0);
  assertEquals(crowd(), 6, "one place is not worth a claim");
  await clock.advance(LOOK_AGAIN_MS);
  assertEquals(crowd(), 7, "but it is found before long");
});
