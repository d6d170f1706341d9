import { assertEquals } from "@std/assert";
import type { RouteRule } from "../../src/delivery/route.ts";
import { DELIVERED, FakeTransport, GREYLISTED, setUp, stateOf } from "./scheduler_setup.ts";

/** A rule for all mail. */
function rule(part: Partial<RouteRule>): RouteRule {
  return { name: "all", match: {}, transports: ["out"], ...part };
}

Deno.test("mail of a route that holds waits until it is released, then leaves", async () => {
  const out = new FakeTransport();
  const rules = [rule({ name: "first", transports: [], treatment: { mode: "hold" } }), rule({})];
  const { clock, store, scheduler, put } = setUp({ transports: [out], rules });
  const id = await put("a.example", { recipients: 2 });
  scheduler.start();
  await clock.advance(0);
  assertEquals(await stateOf(store, id), "held,held");
  const held = await store.get(id);
  assertEquals(held?.recipients[0]?.lastReply, "450 4.7.0 Held by route first");
  assertEquals(held?.timeline.map(({ kind }) => kind), ["held"]);
  const command = { kind: "release" } as const;
  await store.command({ filter: { ids: [id] }, command, nowMs: clock.now(), by: "op" });
  scheduler.wake();
  await clock.advance(0);
  assertEquals(await stateOf(store, id), "delivered,delivered");
  await scheduler.stop({ limitMs: 0 });
});

Deno.test("captured mail is kept and sent nowhere, but for recipients that are allowed", async () => {
  const out = new FakeTransport();
  const treatment = { mode: "capture", allow: ["r1@*"] } as const;
  const { clock, store, scheduler, put } = setUp({ transports: [out], treatment });
  const id = await put("a.example", { recipients: 3 });
  scheduler.start();
  await clock.advance(0);
  assertEquals(await stateOf(store, id), "held,delivered,held");
  assertEquals(out.jobs.map(({ recipients }) => recipients.length), [1]);
  const detail = await store.get(id);
  assertEquals(detail?.hasBody, true);
  const captured = detail?.timeline.find(({ kind }) => kind === "captured");
  assertEquals(captured?.recipients, [0, 2]);
  await scheduler.stop({ limitMs: 0 });
});

Deno.test("redirected mail goes once to one mailbox and names the original recipient", async () => {
  const out = new FakeTransport();
  const treatment = { mode: "redirect", redirect: "dev@team.example" } as const;
  const { clock, store, scheduler, put } = setUp({
    transports: [out],
    rules: [rule({ treatment })],
  });
  const id = await put("a.example", { recipients: 3 });
  scheduler.start();
  await clock.advance(0);
  assertEquals(await stateOf(store, id), "delivered,delivered,delivered");
  assertEquals(out.jobs.length, 1);
  assertEquals(out.jobs[0]?.domain, "team.example");
  const told = out.jobs[0]?.recipients.map(({ forwardPath, originalRecipient }) =>
    `${forwardPath} ${originalRecipient}`
  );
  assertEquals(told, ["dev@team.example rfc822;r0@a.example"]);
  const [entry] = (await store.get(id))?.timeline ?? [];
  assertEquals(entry?.recipients, [0, 1, 2]);
  assertEquals(entry?.detail["redirectedTo"], "dev@team.example");
  await scheduler.stop({ limitMs: 0 });
});

Deno.test("weighted transports are chosen anew at every attempt, together for one message", async () => {
  const transports = ["a", "b"].map((name) =>
    new FakeTransport({ name, answer: () => GREYLISTED })
  );
  const rules = [rule({ transports: ["a", "b"], weights: [1, 1] })];
  const { clock, scheduler, put } = setUp({ transports, rules });
  await put("a.example", { recipients: 4 });
  scheduler.start();
  await clock.advance(0);
  for (let attempt = 0; attempt < 12; attempt++) await clock.advance(7 * 3_600_000);
  const counts = transports.map(({ jobs }) => jobs.length);
  assertEquals(counts.every((count) => count > 0), true, `${counts}`);
  assertEquals(
    transports.every(({ jobs }) => jobs.every((job) => job.recipients.length === 4)),
    true,
  );
  await scheduler.stop({ limitMs: 0 });
});

Deno.test("a message whose route an operator chose takes it, whatever fits", async () => {
  const transports = ["a", "b"].map((name) => new FakeTransport({ name }));
  const rules = [
    rule({ name: "one", transports: ["a"] }),
    rule({ name: "two", transports: ["b"], match: { recipientDomain: ["nowhere.example"] } }),
  ];
  const { clock, scheduler, put } = setUp({ transports, rules });
  await put("a.example", { route: "two" });
  await put("a.example", { route: "gone" });
  scheduler.start();
  await clock.advance(0);
  assertEquals(transports.map(({ jobs }) => jobs.length), [1, 1]);
  await scheduler.stop({ limitMs: 0 });
});

Deno.test("when the first of weighted transports is broken the other one stands in", async () => {
  const broken = { kind: "broken", scope: "destination", reply: GREYLISTED.reply } as const;
  const transports = [
    new FakeTransport({ name: "a", answer: () => broken }),
    new FakeTransport({ name: "b", answer: () => DELIVERED }),
  ];
  const rules = [rule({ transports: ["a", "b"], weights: [1, 1] })];
  const { clock, store, scheduler, put } = setUp({ transports, rules });
  const ids = [];
  for (let count = 0; count < 8; count++) ids.push(await put("a.example"));
  scheduler.start();
  await clock.advance(0);
  for (const id of ids) assertEquals(await stateOf(store, id), "delivered");
  await scheduler.stop({ limitMs: 0 });
});

/** The way by this transport is closed for every message. */
const SUSPENDED = { kind: "broken", scope: "transport", reply: GREYLISTED.reply } as const;

for (const where of ["relay", "route"] as const) {
  Deno.test(`what is captured by the ${where} waits for no transport that is down`, async () => {
    const out = new FakeTransport({ answer: () => SUSPENDED });
    const treatment = { mode: "capture", allow: ["r1@*"] } as const;
    const { clock, store, scheduler, put } = setUp(
      where === "relay"
        ? { transports: [out], treatment }
        : { transports: [out], rules: [rule({ treatment })] },
    );
    const first = await put("a.example", { recipients: 2 });
    scheduler.start();
    await clock.advance(0);
    assertEquals([out.jobs.length, await stateOf(store, first)], [1, "held,queued"]);
    const second = await put("b.example", { recipients: 2 });
    scheduler.wake();
    await clock.advance(0);
    assertEquals([out.jobs.length, await stateOf(store, second)], [1, "held,queued"]);
    await scheduler.stop({ limitMs: 0 });
  });
}

Deno.test("an outage of one route's transport keeps no mail of another route", async () => {
  const down = new FakeTransport({ name: "down", answer: () => SUSPENDED });
  const up = new FakeTransport({ name: "up" });
  const rules = [
    rule({ name: "one", transports: ["down"], match: { recipientDomain: ["a.example"] } }),
    rule({ name: "two", transports: ["up"] }),
  ];
  const { clock, store, scheduler, put } = setUp({ transports: [down, up], rules });
  const waiting = [await put("a.example")];
  scheduler.start();
  await clock.advance(0);
  waiting.push(await put("a.example"));
  const other = await put("b.example");
  const fresh = scheduler.reserve([{ domain: "c.example" }], 0);
  assertEquals(fresh !== null, true, "fresh mail of the other route may come");
  scheduler.unreserve([{ domain: "c.example" }], 0);
  scheduler.wake();
  await clock.advance(0);
  assertEquals([down.jobs.length, up.jobs.length], [1, 1]);
  assertEquals(await stateOf(store, other), "delivered");
  for (const id of waiting) assertEquals(await stateOf(store, id), "queued");
  await scheduler.stop({ limitMs: 0 });
});
