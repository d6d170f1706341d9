import { assert, assertEquals } from "@std/assert";
import type { Outcome } from "../../src/delivery/transport.ts";
import { DEFAULT_RETRY_SCHEDULE } from "../../src/queue/schedule.ts";
import { settle } from "../support/manual_clock.ts";
import {
  DELIVERED,
  FakeTransport,
  GREYLISTED,
  setUp,
  stateOf,
  UNREACHABLE,
} from "./scheduler_setup.ts";

Deno.test("due mail goes out and is settled as delivered", async () => {
  const transport = new FakeTransport();
  const { clock, store, scheduler, put, events } = setUp({ transports: [transport] });
  const id = await put("a.example", { recipients: 3 });
  scheduler.start();
  await clock.advance(0);
  assertEquals(await stateOf(store, id), "delivered,delivered,delivered");
  assertEquals(transport.jobs.length, 1);
  assertEquals(events.filter(({ type }) => type === "delivered").length, 3);
  await scheduler.stop({ limitMs: 0 });
});

Deno.test("a temporary failure is tried again after the schedule's delays", async () => {
  const transport = new FakeTransport({ answer: () => GREYLISTED });
  const { clock, store, scheduler, put } = setUp({ transports: [transport] });
  const id = await put("a.example");
  scheduler.start();
  await clock.advance(0);
  assertEquals(transport.jobs.length, 1);
  await clock.advance(59_000);
  assertEquals(transport.jobs.length, 1);
  await clock.advance(1_000);
  assertEquals(transport.jobs.length, 2);
  await clock.advance(120_000);
  assertEquals(transport.jobs.length, 3);
  const detail = await store.get(id);
  assertEquals(detail?.recipients[0]?.attempts, 3);
  assertEquals(detail?.recipients[0]?.lastReply, "451 4.7.1 Greylisted");
  await scheduler.stop({ limitMs: 0 });
});

Deno.test("mail that never gets through expires after four days", async () => {
  const transport = new FakeTransport({ answer: () => GREYLISTED });
  const { clock, store, scheduler, put } = setUp({ transports: [transport] });
  const id = await put("a.example");
  scheduler.start();
  await clock.advance(DEFAULT_RETRY_SCHEDULE.expireAfterMs + 1_000);
  assertEquals(await stateOf(store, id), "expired");
  await scheduler.stop({ limitMs: 0 });
});

Deno.test("a transport that does not work hands over to the next of the route", async () => {
  const first = new FakeTransport({ name: "first", answer: () => UNREACHABLE });
  const second = new FakeTransport({ name: "second" });
  const { clock, store, scheduler, put } = setUp({ transports: [first, second] });
  const ids = [await put("a.example"), await put("a.example")];
  scheduler.start();
  await clock.advance(0);
  for (const id of ids) assertEquals(await stateOf(store, id), "delivered");
  const attempts = (await store.get(ids[0] ?? ""))?.timeline.filter(({ kind }) =>
    kind === "attempt"
  );
  assertEquals(attempts?.map(({ detail }) => detail.transport), ["first", "second"]);
  await scheduler.stop({ limitMs: 0 });
});

Deno.test("a dead destination is probed by one attempt, and its mail is not counted against it", async () => {
  let alive = false;
  const transport = new FakeTransport({ answer: () => alive ? DELIVERED : UNREACHABLE });
  const { clock, store, scheduler, put, events } = setUp({ transports: [transport] });
  const ids: string[] = [];
  for (let count = 0; count < 30; count++) ids.push(await put("dead.example"));
  scheduler.start();
  await clock.advance(0);
  const firstCrowd = transport.jobs.length;
  assert(firstCrowd <= 5, `${firstCrowd} attempts before it was known to be down`);
  await clock.advance(16_000);
  assert(transport.jobs.length <= firstCrowd + 1, "more than one probe");
  alive = true;
  await clock.advance(600_000);
  for (const id of ids) assertEquals(await stateOf(store, id), "delivered");
  const counted = await Promise.all(ids.map(async (id) => (await store.get(id))?.recipients[0]));
  assert(counted.filter((recipient) => (recipient?.attempts ?? 0) > 2).length === 0);
  assertEquals(events.filter(({ type }) => type === "destination_up").length, 1);
  await scheduler.stop({ limitMs: 0 });
});

Deno.test("one slow destination does not hold up the others", async () => {
  let finish: (outcome: Outcome) => void = () => {};
  const slow = new Promise<Outcome>((resolve) => finish = resolve);
  const transport = new FakeTransport({
    answer: (job) => job.domain === "slow.example" ? slow : DELIVERED,
  });
  const { clock, store, scheduler, put } = setUp({ transports: [transport], perDomain: 20 });
  for (let count = 0; count < 200; count++) await put("slow.example");
  const others: string[] = [];
  for (let count = 0; count < 300; count++) others.push(await put(`d${count}.example`));
  scheduler.start();
  await clock.advance(10_000);
  for (const id of others) assertEquals(await stateOf(store, id), "delivered");
  finish(DELIVERED);
  for (let round = 0; round < 20; round++) await settle();
  assertEquals((await store.stats()).recipients.delivered, 500);
  await scheduler.stop({ limitMs: 0 });
});

Deno.test("concurrency to a destination starts low, grows on success and has a ceiling", async () => {
  const pending: (() => void)[] = [];
  const transport = new FakeTransport({
    maxConcurrency: 8,
    answer: () => new Promise((resolve) => pending.push(() => resolve(DELIVERED))),
  });
  const { clock, scheduler, put } = setUp({
    transports: [transport],
    window: 1000,
    perDomain: 900,
  });
  for (let count = 0; count < 300; count++) await put("a.example");
  scheduler.start();
  await clock.advance(0);
  assertEquals(transport.running, 5);
  for (let round = 0; round < 30; round++) {
    for (const release of pending.splice(0)) release();
    await settle();
  }
  assertEquals(transport.mostRunning, 8);
  while (pending.length > 0) {
    for (const release of pending.splice(0)) release();
    await clock.advance(1);
  }
  await scheduler.stop({ limitMs: 0 });
});

Deno.test("stopping gives every claim back", async () => {
  let aborted = false;
  const transport = new FakeTransport({
    answer: () => new Promise<Outcome>(() => {}),
  });
  transport.deliver = (
    job,
    { signal }: { signal: AbortSignal } = { signal: AbortSignal.abort() },
  ) =>
    new Promise((resolve) =>
      signal.addEventListener("abort", () => {
        aborted = true;
        resolve({ outcomes: job.recipients.map(() => UNREACHABLE), remote: null, tls: null });
      })
    );
  const { clock, store, scheduler, put } = setUp({ transports: [transport] });
  for (let count = 0; count < 40; count++) await put("a.example");
  scheduler.start();
  await clock.advance(0);
  const stopped = scheduler.stop({ limitMs: 5_000 });
  await clock.advance(5_000);
  await stopped;
  assert(aborted);
  const page = await store.list({ filter: {}, limit: 100 });
  for (const { message } of page.items) {
    const detail = await store.get(message.id);
    assertEquals(detail?.recipients[0]?.claimedBy, null);
    assertEquals(detail?.recipients[0]?.state, "queued");
  }
});

Deno.test("recipients that no route fits wait with a clear reason", async () => {
  const transport = new FakeTransport();
  const { clock, store, scheduler, put } = setUp({ transports: [transport], routes: [] });
  const id = await put("a.example");
  scheduler.start();
  await clock.advance(0);
  const detail = await store.get(id);
  assertEquals(detail?.recipients[0]?.lastReply, "450 4.4.4 No route matches this recipient");
  await scheduler.stop({ limitMs: 0 });
});
