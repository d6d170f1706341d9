import { assert, assertEquals } from "@std/assert";
import type { Outcome } from "../../src/delivery/transport.ts";
import { Shaper } from "../../src/delivery/shaping/shaper.ts";
import { DEFAULT_RETRY_SCHEDULE } from "../../src/queue/schedule.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { type Bench, DELIVERED, FakeTransport, setUp, stateOf } from "./scheduler_setup.ts";
import { reply } from "../../src/mail/reply.ts";

const SUSPENDED: Outcome = {
  kind: "broken",
  scope: "transport",
  reply: reply(451, "4.3.5", "Account suspended"),
};
const HOUR_MS = 3_600_000;

/** Puts one message for each of `count` domains. */
async function putMany({ put }: Bench, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let number = 0; number < count; number++) ids.push(await put(`d${number}.example`));
  return ids;
}

/** Moves the time on by hours, and looks for mail that nothing will be done for. */
async function advanceHours({ clock, scheduler }: Bench, hours: number): Promise<void> {
  for (let hour = 0; hour < hours; hour++) {
    await clock.advance(HOUR_MS);
    assertEquals(scheduler.audit(), []);
  }
}

Deno.test("a circuit that opens sends everything in line of its transport another way", async () => {
  const first = new FakeTransport({ name: "first", answer: () => SUSPENDED });
  const second = new FakeTransport({ name: "second" });
  const bench = setUp({ transports: [first, second], maxConcurrency: 1 });
  await putMany(bench, 40);
  bench.scheduler.start();
  for (let turn = 0; turn < 5; turn++) await bench.clock.advance(0);
  assertEquals(first.jobs.length, 1);
  assertEquals((await bench.store.stats()).recipients.delivered, 40);
  assertEquals(bench.scheduler.audit(), []);
  await bench.scheduler.stop({ limitMs: 0 });
});

Deno.test("mail of a transport that was down leaves when it is up again", async () => {
  let isUp = false;
  const out = new FakeTransport({ answer: () => isUp ? DELIVERED : SUSPENDED });
  const bench = setUp({ transports: [out], maxConcurrency: 1 });
  await putMany(bench, 40);
  bench.scheduler.start();
  await advanceHours(bench, 24);
  isUp = true;
  await advanceHours(bench, 1);
  assertEquals((await bench.store.stats()).recipients.delivered, 40);
  assertEquals(bench.scheduler.activeRecipients, 0);
  await bench.scheduler.stop({ limitMs: 0 });
});

Deno.test("mail of a transport that stays down expires, all of it", async () => {
  const out = new FakeTransport({ answer: () => SUSPENDED });
  const bench = setUp({ transports: [out], maxConcurrency: 1 });
  await putMany(bench, 40);
  bench.scheduler.start();
  await advanceHours(bench, 4 * 24 + 1);
  assertEquals((await bench.store.stats()).recipients.expired, 40);
  await bench.scheduler.stop({ limitMs: 0 });
});

Deno.test("what rests for a limit goes another way when the circuit opens", async () => {
  const clock = new ManualClock();
  const limits = { rates: [{ count: 1, perMs: 2_000 }] };
  const rule = { name: "slow", match: { transport: ["first"] }, shared: true, limits };
  const shaper = new Shaper([rule], { clock, resolver: { mx: () => Promise.reject() } });
  const first = new FakeTransport({ name: "first", answer: () => SUSPENDED });
  const second = new FakeTransport({ name: "second" });
  const bench = setUp({ transports: [first, second], shaper, clock });
  await putMany(bench, 3);
  bench.scheduler.start();
  await clock.advance(0);
  assertEquals([first.jobs.length, second.jobs.length], [1, 3]);
  assertEquals(bench.scheduler.audit(), []);
  await bench.scheduler.stop({ limitMs: 0 });
});

Deno.test("a second rest replaces an earlier, longer one", async () => {
  const clock = new ManualClock();
  const rule = (name: string, perMs: number) => ({
    name,
    match: { domain: [name] },
    shared: true,
    limits: { rates: [{ count: 1, perMs }] },
  });
  const rules = [rule("slow.example", 5_000), rule("quick.example", 1_000)];
  const shaper = new Shaper(rules, { clock, resolver: { mx: () => Promise.reject() } });
  const out = new FakeTransport();
  const bench = setUp({ transports: [out], shaper, clock });
  for (const domain of ["slow.example", "slow.example", "quick.example", "quick.example"]) {
    await bench.put(domain);
  }
  bench.scheduler.start();
  await clock.advance(0);
  await clock.advance(1_000);
  assertEquals(out.jobs.map(({ domain }) => domain).toSorted(), [
    "quick.example",
    "quick.example",
    "slow.example",
  ]);
  await clock.advance(4_000);
  assertEquals(out.jobs.length, 4);
  await bench.scheduler.stop({ limitMs: 0 });
  assertEquals(clock.timers, 0);
});

Deno.test("mail that waits behind attempts without an end expires in line", async () => {
  const out = new FakeTransport({ maxConcurrency: 1, answer: () => new Promise(() => {}) });
  const bench = setUp({ transports: [out] });
  await bench.put("a.example");
  const waiting = await bench.put("a.example");
  bench.scheduler.start();
  await bench.clock.advance(DEFAULT_RETRY_SCHEDULE.expireAfterMs + 60_000);
  assertEquals(await stateOf(bench.store, waiting), "expired");
  const detail = await bench.store.get(waiting);
  assert(detail?.recipients[0]?.lastReply.startsWith("451 4.4.7"));
  assertEquals(bench.scheduler.audit(), []);
});

Deno.test("concurrency that others hold is handed on, over all destinations", async () => {
  const ends: (() => void)[] = [];
  const out = new FakeTransport({
    answer: () => new Promise((resolve) => ends.push(() => resolve(DELIVERED))),
  });
  const bench = setUp({ transports: [out], maxConcurrency: 2 });
  await putMany(bench, 5);
  bench.scheduler.start();
  for (let end = 1; end <= 5; end++) {
    await bench.clock.advance(0);
    assertEquals(out.jobs.length, Math.min(5, end + 1));
    assertEquals(bench.scheduler.audit(), []);
    ends.shift()?.();
  }
  await bench.clock.advance(0);
  assertEquals((await bench.store.stats()).recipients.delivered, 5);
  await bench.scheduler.stop({ limitMs: 0 });
});
