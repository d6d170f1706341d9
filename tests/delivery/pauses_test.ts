import { assertEquals, assertStringIncludes } from "@std/assert";
import { DEFAULT_RETRY_SCHEDULE } from "../../src/queue/schedule.ts";
import { settle } from "../support/manual_clock.ts";
import { FakeTransport, setUp, stateOf, UNREACHABLE } from "./scheduler_setup.ts";

const PAUSE = { reason: "they asked", by: "user ada", sinceMs: 0, untilMs: null };

Deno.test("mail for a paused domain waits, mail for others goes", async () => {
  const transport = new FakeTransport();
  const { clock, store, scheduler, put, pauses } = setUp({ transports: [transport] });
  pauses.domains.set("slow.example", PAUSE);
  const paused = await put("slow.example", { recipients: 2 });
  const other = await put("other.example");
  scheduler.start();
  await clock.advance(0);
  assertEquals(await stateOf(store, other), "delivered");
  assertEquals(await stateOf(store, paused), "queued,queued");
  const detail = await store.get(paused);
  assertEquals(detail?.recipients[0]?.lastReply, "451 4.3.2 Paused by user ada: they asked");
  assertEquals(detail?.recipients[0]?.attempts, 0);
  assertEquals(transport.jobs.map(({ domain }) => domain), ["other.example"]);
  await scheduler.stop({ limitMs: 0 });
});

Deno.test("fresh mail for a paused domain is not taken past the queue", async () => {
  const { scheduler, pauses } = setUp({ transports: [new FakeTransport()] });
  scheduler.start();
  pauses.domains.set("slow.example", PAUSE);
  assertEquals(scheduler.reserve([{ domain: "slow.example" }], 10), null);
  await scheduler.stop({ limitMs: 0 });
});

Deno.test("a pause that ends by itself lets mail go", async () => {
  const transport = new FakeTransport();
  const { clock, store, scheduler, put, pauses } = setUp({ transports: [transport] });
  pauses.domains.set("slow.example", { ...PAUSE, untilMs: clock.now() + 60_000 });
  const id = await put("slow.example");
  scheduler.start();
  await clock.advance(59_000);
  assertEquals(await stateOf(store, id), "queued");
  await clock.advance(1_000);
  assertEquals(await stateOf(store, id), "delivered");
  await scheduler.stop({ limitMs: 0 });
});

Deno.test("mail that waits for its turn goes back when its domain is paused", async () => {
  const first = Promise.withResolvers<void>();
  const transport = new FakeTransport({
    maxConcurrency: 1,
    answer: async () => {
      await first.promise;
      return UNREACHABLE;
    },
  });
  const { clock, store, scheduler, put, pauses } = setUp({ transports: [transport] });
  await put("slow.example");
  const waiting = await put("slow.example");
  scheduler.start();
  await clock.advance(0);
  pauses.domains.set("slow.example", PAUSE);
  scheduler.lookAgain();
  await clock.advance(0);
  const detail = await store.get(waiting);
  assertEquals(detail?.recipients[0]?.lastReply, "451 4.3.2 Paused by user ada: they asked");
  assertEquals(detail?.recipients[0]?.attempts, 0);
  assertEquals(detail?.recipients[0]?.claimedBy, null);
  first.resolve();
  await settle();
  await scheduler.stop({ limitMs: 0 });
});

Deno.test("a paused transport is passed over for the next of the route", async () => {
  const [out, spare] = [new FakeTransport(), new FakeTransport({ name: "spare" })];
  const { clock, store, scheduler, put, pauses } = setUp({ transports: [out, spare] });
  pauses.transports.set("out", PAUSE);
  const id = await put("a.example");
  scheduler.start();
  await clock.advance(0);
  assertEquals(await stateOf(store, id), "delivered");
  assertEquals([out.jobs.length, spare.jobs.length], [0, 1]);
  await scheduler.stop({ limitMs: 0 });
});

Deno.test("without another transport mail waits for the paused one, and its domain is known", async () => {
  const out = new FakeTransport();
  const { clock, store, scheduler, put, pauses } = setUp({ transports: [out] });
  pauses.transports.set("out", PAUSE);
  const id = await put("a.example");
  scheduler.start();
  await clock.advance(0);
  assertEquals(await stateOf(store, id), "queued");
  pauses.transports.delete("out");
  assertEquals(scheduler.takePutOffDomains("out"), new Set(["a.example"]));
  await store.command({
    filter: { domain: "a.example" },
    command: { kind: "retry" },
    nowMs: clock.now(),
    by: "test",
  });
  scheduler.lookAgain();
  await clock.advance(0);
  assertEquals(await stateOf(store, id), "delivered");
  await scheduler.stop({ limitMs: 0 });
});

Deno.test("a probe lets the next attempt find out whether a destination is up again", async () => {
  let isUp = false;
  const out = new FakeTransport({
    answer: () => isUp ? { kind: "delivered", reply: { code: 250, lines: ["ok"] } } : UNREACHABLE,
  });
  const { clock, store, scheduler, put } = setUp({ transports: [out] });
  const id = await put("a.example");
  scheduler.start();
  await clock.advance(0);
  assertEquals(scheduler.destinationOf(out, "a.example")?.state(clock.now()).kind, "down");
  isUp = true;
  await store.command({
    filter: { domain: "a.example" },
    command: { kind: "retry" },
    nowMs: clock.now(),
    by: "test",
  });
  scheduler.probe({ domain: "a.example" });
  await clock.advance(0);
  assertEquals(await stateOf(store, id), "delivered");
  await scheduler.stop({ limitMs: 0 });
});

Deno.test("what an operator gives up fails at once, without an attempt", async () => {
  const out = new FakeTransport();
  const { clock, store, scheduler, put, events } = setUp({ transports: [out] });
  const id = await put("a.example", { recipients: 2 });
  await store.command({
    filter: { recipient: "r0@a.example" },
    command: { kind: "bounce" },
    nowMs: clock.now(),
    by: "ada",
  });
  scheduler.start();
  await clock.advance(0);
  assertEquals(await stateOf(store, id), "failed,delivered");
  assertEquals(out.jobs.map(({ recipients }) => recipients.length), [1]);
  const bounced = events.find(({ type }) => type === "bounced");
  assertStringIncludes(JSON.stringify(bounced), "Bounced by an operator");
  await scheduler.stop({ limitMs: 0 });
});

Deno.test("mail for a domain that stays paused expires in its time", async () => {
  const { clock, store, scheduler, put, pauses } = setUp({ transports: [new FakeTransport()] });
  pauses.domains.set("slow.example", PAUSE);
  const id = await put("slow.example");
  scheduler.start();
  await clock.advance(DEFAULT_RETRY_SCHEDULE.expireAfterMs + 60_000);
  assertEquals(await stateOf(store, id), "expired");
  await scheduler.stop({ limitMs: 0 });
});
