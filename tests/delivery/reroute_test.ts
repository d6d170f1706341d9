import { assertEquals } from "@std/assert";
import type { RouteRule } from "../../src/delivery/route.ts";
import type { Outcome } from "../../src/delivery/transport.ts";
import {
  DELIVERED,
  FakeTransport,
  GREYLISTED,
  setUp,
  stateOf,
  UNREACHABLE,
} from "./scheduler_setup.ts";

const RULES: readonly RouteRule[] = [{ name: "all", match: {}, transports: ["a"] }];
/** Nothing can leave that way, whoever it is for. */
const DOWN = { ...UNREACHABLE, scope: "transport" } as const;

Deno.test("rerouted mail leaves by its transport although every route is down", async () => {
  const transports = [
    new FakeTransport({ name: "a", answer: () => DOWN }),
    new FakeTransport({ name: "b" }),
  ];
  const { clock, store, scheduler, put } = setUp({ transports, rules: RULES });
  const id = await put("a.example", { recipients: 2 });
  const other = await put("a.example");
  scheduler.start();
  await clock.advance(0);
  assertEquals(await stateOf(store, id), "queued,queued");
  const filter = { ids: [id], recipient: "r1@a.example" };
  const command = { kind: "reroute", transport: "b" } as const;
  await store.command({ filter, command, nowMs: clock.now(), by: "op" });
  scheduler.lookAgain();
  await clock.advance(0);
  assertEquals(await stateOf(store, id), "queued,delivered");
  assertEquals(await stateOf(store, other), "queued");
  assertEquals(transports[1]?.jobs.length, 1);
  await scheduler.stop({ limitMs: 0 });
});

Deno.test("a chosen transport is taken at every attempt, with no other in its place", async () => {
  let isDown = true;
  const transports = [
    new FakeTransport({ name: "a" }),
    new FakeTransport({ name: "b", answer: () => isDown ? DOWN : GREYLISTED }),
    new FakeTransport({ name: "c" }),
  ];
  const rules = [{ name: "all", match: {}, transports: ["b", "c"] }];
  const { clock, store, scheduler, put } = setUp({ transports, rules });
  const id = await put("a.example");
  const command = { kind: "reroute", transport: "b" } as const;
  await store.command({ filter: { ids: [id] }, command, nowMs: clock.now(), by: "op" });
  scheduler.start();
  await clock.advance(0);
  isDown = false;
  await clock.advance(3_600_000);
  assertEquals([transports[0]?.jobs.length, transports[2]?.jobs.length], [0, 0]);
  assertEquals((transports[1]?.jobs.length ?? 0) > 1, true);
  await store.command({
    ...{ filter: { ids: [id] }, nowMs: clock.now(), by: "op" },
    command: { kind: "reroute", transport: null },
  });
  await clock.advance(86_400_000);
  assertEquals(transports[2]?.jobs.length, 0, "the routes begin with b again");
  await scheduler.stop({ limitMs: 0 });
});

Deno.test("a chosen transport serves what no route fits; one that is gone is forgotten", async () => {
  const transports = ["a", "b"].map((name) => new FakeTransport({ name }));
  const rules = [{ name: "none", match: { recipientDomain: ["a.example"] }, transports: ["a"] }];
  const { clock, store, scheduler, put } = setUp({ transports, rules });
  const lost = await put("nowhere.example");
  const gone = await put("a.example");
  const reroute = (id: string, transport: string) =>
    store.command({
      ...{ filter: { ids: [id] }, nowMs: clock.now(), by: "op" },
      command: { kind: "reroute", transport },
    });
  await reroute(lost, "b");
  await reroute(gone, "removed");
  scheduler.start();
  await clock.advance(0);
  assertEquals(await stateOf(store, lost), "delivered");
  assertEquals(await stateOf(store, gone), "delivered");
  assertEquals(transports.map(({ jobs }) => jobs.length), [1, 1]);
  assertEquals((await store.get(gone))?.recipients[0]?.transport, "removed");
  await scheduler.stop({ limitMs: 0 });
});

Deno.test("mail that waits in line for a slow way leaves by the one it is rerouted to", async () => {
  const slow = Promise.withResolvers<Outcome>();
  const transports = [
    new FakeTransport({ name: "a", maxConcurrency: 1, answer: () => slow.promise }),
    new FakeTransport({ name: "b" }),
  ];
  const { clock, store, scheduler, put } = setUp({ transports, rules: RULES });
  const first = await put("a.example");
  const second = await put("a.example");
  const third = await put("a.example");
  scheduler.start();
  await clock.advance(0);
  assertEquals(transports.map(({ jobs }) => jobs.length), [1, 0]);
  const command = { kind: "reroute", transport: "b" } as const;
  const filter = { ids: [first, second] };
  await store.command({ filter, command, nowMs: clock.now(), by: "op" });
  scheduler.reclaim();
  await clock.advance(0);
  assertEquals(await stateOf(store, second), "delivered");
  assertEquals(
    transports.map(({ jobs }) => jobs.length),
    [1, 1],
    "what is under way ends as it is",
  );
  slow.resolve(DELIVERED);
  await clock.advance(1_000);
  assertEquals([await stateOf(store, first), await stateOf(store, third)], [
    "delivered",
    "delivered",
  ]);
  assertEquals(transports.map(({ jobs }) => jobs.length), [2, 1]);
  const attempts = (await store.get(second))?.recipients[0]?.attempts;
  assertEquals(attempts, 1, "what was taken back is no attempt");
  await scheduler.stop({ limitMs: 0 });
});

Deno.test("mail that waits in line is not sent once an operator took it out of the queue", async () => {
  const slow = Promise.withResolvers<Outcome>();
  const transport = new FakeTransport({
    name: "a",
    maxConcurrency: 1,
    answer: ({ message }) => message.id === first ? slow.promise : DELIVERED,
  });
  const { clock, store, scheduler, put } = setUp({ transports: [transport] });
  const first = await put("a.example");
  const kinds = ["cancel", "hold", "bounce", "delete"] as const;
  const ids = await Promise.all(kinds.map(() => put("a.example")));
  const last = await put("a.example");
  scheduler.start();
  await clock.advance(0);
  for (const [place, kind] of kinds.entries()) {
    const filter = { ids: [ids[place] ?? ""] };
    await store.command({ filter, command: { kind }, nowMs: clock.now(), by: "op" });
    scheduler.reclaim(new Set(filter.ids));
    await clock.advance(0);
  }
  slow.resolve(DELIVERED);
  await clock.advance(60_000);
  assertEquals(transport.jobs.map(({ message }) => message.id), [first, last]);
  const states = await Promise.all(ids.map((id) => stateOf(store, id)));
  assertEquals(states, ["cancelled", "held", "failed", "gone"]);
  await scheduler.stop({ limitMs: 0 });
});

Deno.test("mail that goes back to be claimed anew is neither late nor over for it", async () => {
  const slow = Promise.withResolvers<Outcome>();
  const transports = [
    new FakeTransport({ name: "a", maxConcurrency: 1, answer: () => slow.promise }),
    new FakeTransport({ name: "b" }),
  ];
  const news: unknown[] = [];
  const { clock, store, scheduler, put } = setUp({
    ...{ transports, rules: RULES },
    notifications({ conclusions }) {
      news.push(...conclusions.map((conclusion) => conclusion.news));
      return [];
    },
  });
  await put("a.example");
  const second = await put("a.example");
  scheduler.start();
  await clock.advance(5 * 3_600_000); // past the time to warn the sender
  const filter = { ids: [second] };
  const command = { kind: "reroute", transport: "b" } as const;
  await store.command({ filter, command, nowMs: clock.now(), by: "op" });
  scheduler.reclaim();
  await clock.advance(0);
  assertEquals([await stateOf(store, second), news], ["delivered", ["delivered"]]);
  slow.resolve(DELIVERED);
  await scheduler.stop({ limitMs: 0 });
});
