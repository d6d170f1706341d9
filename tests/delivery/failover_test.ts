import { assert, assertEquals } from "@std/assert";
import { reply } from "../../src/mail/reply.ts";
import type { Outcome } from "../../src/delivery/transport.ts";
import type { QueueStore } from "../../src/queue/store.ts";
import {
  DELIVERED,
  FakeTransport,
  GREYLISTED,
  setUp,
  stateOf,
  UNREACHABLE,
} from "./scheduler_setup.ts";

const LIMITED: Outcome = {
  kind: "temporary",
  reply: reply(451, "4.4.5", "Too many requests"),
  counts: false,
  retryAfterMs: 30_000,
};
const FAILING: Outcome = {
  kind: "temporary",
  reply: reply(451, "4.3.0", "It answered 503"),
  counts: false,
};
const SUSPENDED: Outcome = {
  kind: "broken",
  scope: "transport",
  reply: reply(451, "4.3.5", "Account suspended"),
};
const TOO_LARGE: Outcome = { kind: "unsuitable", reply: reply(552, "5.3.4", "Too large") };

/** Transports of one route that always answer the same, and what became of one message. */
async function deliverThrough(
  outcomes: readonly Outcome[],
  { forMs = 0 }: { forMs?: number } = {},
): Promise<{ state: string; attempts: number[]; counted: number; lastReply: string }> {
  const transports = outcomes.map((outcome, index) =>
    new FakeTransport({ name: `way${index}`, answer: () => outcome })
  );
  const { clock, store, scheduler, put } = setUp({ transports });
  const id = await put("a.example");
  scheduler.start();
  await clock.advance(0);
  await clock.advance(forMs);
  await scheduler.stop({ limitMs: 0 });
  const recipient = (await store.get(id))?.recipients[0];
  return {
    state: await stateOf(store, id),
    attempts: transports.map(({ jobs }) => jobs.length),
    counted: recipient?.attempts ?? -1,
    lastReply: recipient?.lastReply ?? "",
  };
}

Deno.test("a transport at its limit hands over to the next of the route", async () => {
  const result = await deliverThrough([LIMITED, FAILING, SUSPENDED, DELIVERED]);
  assertEquals(result.state, "delivered");
  assertEquals(result.attempts, [1, 1, 1, 1]);
});

Deno.test("a recipient that has to wait does not go on to the next transport", async () => {
  const result = await deliverThrough([GREYLISTED, DELIVERED]);
  assertEquals(result.state, "queued");
  assertEquals(result.attempts, [1, 0]);
});

Deno.test("limits of all transports are waited for until the first is over, uncounted", async () => {
  const later: Outcome = { ...LIMITED, retryAfterMs: 50_000 };
  const before = await deliverThrough([LIMITED, later], { forMs: 29_000 });
  assertEquals(before.attempts, [1, 1]);
  assertEquals(before.counted, 0);
  const after = await deliverThrough([LIMITED, later], { forMs: 31_000 });
  assertEquals(after.attempts[0], 2);
});

for (const first of [LIMITED, FAILING, SUSPENDED, GREYLISTED]) {
  Deno.test(`a message that only ${first.reply.lines[0]} keeps from leaving is not returned`, async () => {
    const result = await deliverThrough([first, TOO_LARGE]);
    assertEquals(result.state, "queued");
    assertEquals(result.lastReply.slice(0, 3), "451");
  });
}

Deno.test("a message that suits no transport of its route is returned", async () => {
  const result = await deliverThrough([TOO_LARGE, TOO_LARGE]);
  assertEquals(result.state, "failed");
  assertEquals(result.attempts, [1, 1]);
});

Deno.test("a message that does not suit the one that works waits for the one that is down", async () => {
  const first = new FakeTransport({ name: "first", answer: () => TOO_LARGE });
  const second = new FakeTransport({ name: "second", answer: () => SUSPENDED });
  const { clock, store, scheduler, put } = setUp({ transports: [first, second] });
  const ids = [await put("a.example"), await put("b.example")];
  scheduler.start();
  await clock.advance(0);
  await clock.advance(14_000);
  for (const id of ids) assertEquals(await stateOf(store, id), "queued");
  assert(first.jobs.length <= 4, `${first.jobs.length} attempts with the one that works`);
  await scheduler.stop({ limitMs: 0 });
});

Deno.test("refusals that never end open the circuit", async () => {
  let isUp = false;
  const out = new FakeTransport({ answer: () => isUp ? DELIVERED : FAILING });
  const { clock, store, scheduler, put, events } = setUp({ transports: [out] });
  for (let count = 0; count < 60; count++) await put("a.example");
  scheduler.start();
  await clock.advance(0);
  await clock.advance(14_000);
  assert(out.jobs.length <= 15, `${out.jobs.length} attempts at something that does not work`);
  assertEquals(events.filter(({ type }) => type === "destination_down").length, 1);
  isUp = true;
  await clock.advance(120_000);
  assertEquals((await store.stats()).recipients.delivered, 60);
  await scheduler.stop({ limitMs: 0 });
});

Deno.test("nobody is asked before the limit that it spoke of is over", async () => {
  const times: number[] = [];
  const out = new FakeTransport({ maxConcurrency: 4 });
  const { clock, store, scheduler, put } = setUp({ transports: [out] });
  const inner = out.deliver.bind(out);
  let windowStartMs = clock.now();
  let taken = 0;
  out.deliver = async (job) => {
    const nowMs = clock.now();
    if (nowMs >= windowStartMs + 10_000) [windowStartMs, taken] = [nowMs, 0];
    times.push(++taken);
    const resetAfterMs = windowStartMs + 10_000 - nowMs;
    return { ...await inner(job), rate: { remaining: 6 - taken, resetAfterMs } };
  };
  for (let count = 0; count < 30; count++) await put("a.example");
  scheduler.start();
  await clock.advance(0);
  await clock.advance(60_000);
  assertEquals((await store.stats()).recipients.delivered, 30);
  assert(Math.max(...times) <= 6, `${Math.max(...times)} requests where 6 are allowed`);
  await scheduler.stop({ limitMs: 0 });
});

Deno.test("mail goes in the order of its age once an outage of its only way is over", async () => {
  let isUp = false;
  const out = new FakeTransport({
    maxConcurrency: 1,
    answer: () => isUp ? DELIVERED : SUSPENDED,
  });
  Object.assign(out, { destinationOf: () => "api", sharedDestination: "api" });
  const { clock, store, scheduler, put } = setUp({ transports: [out], window: 20, perDomain: 20 });
  const ids: string[] = [];
  for (let count = 0; count < 100; count++) {
    ids.push(await put(`d${count % 7}.example`));
    await clock.advance(10);
  }
  scheduler.start();
  await clock.advance(0);
  await clock.advance(600_000);
  const during = out.jobs.length;
  isUp = true;
  await clock.advance(600_000);
  assertEquals(await deliveredCount(store), 100);
  assertEquals(out.jobs.slice(during).map(({ message }) => message.id), ids);
  await scheduler.stop({ limitMs: 0 });
});

async function deliveredCount(store: QueueStore): Promise<number> {
  return (await store.stats()).recipients.delivered;
}

Deno.test("a message that no host which answers can carry keeps nothing else from them", async () => {
  const unfit = { ...UNREACHABLE, scope: "message" } as const;
  const first = new FakeTransport({
    name: "first",
    answer: ({ message }) => message.id === "LARGE" ? unfit : DELIVERED,
  });
  const rules = [{ name: "all", match: {}, transports: ["first"] }];
  const { clock, store, scheduler, put, events } = setUp({ transports: [first], rules });
  await put("a.example", { id: "LARGE" });
  const small = await put("a.example");
  scheduler.start();
  await clock.advance(0);
  assertEquals([await stateOf(store, "LARGE"), await stateOf(store, small)], [
    "queued",
    "delivered",
  ]);
  assertEquals(events.filter(({ type }) => type === "destination_down"), []);
  assertEquals((await store.get("LARGE"))?.recipients[0]?.attempts, 1);
  await scheduler.stop({ limitMs: 0 });
});
