/** What others change in the queue while the scheduler has mail of it in its window. */
import { assertEquals } from "@std/assert";
import { seededRandom } from "../../src/base/random.ts";
import { createRouter } from "../../src/delivery/router.ts";
import type { Outcome } from "../../src/delivery/transport.ts";
import { reply } from "../../src/mail/reply.ts";
import { openMemoryStore } from "../../src/queue/memory/store.ts";
import type { QueueStore } from "../../src/queue/store.ts";
import { ManualClock } from "../support/manual_clock.ts";
import {
  DELIVERED,
  FakeTransport,
  freshMessage,
  setUp,
  stateOf,
  UNREACHABLE,
} from "./scheduler_setup.ts";

/** A store that tells of changes when a test does, and notes what is given back. */
function watchedStore(clock: ManualClock) {
  const listeners = new Set<() => void>();
  const settled: string[] = [];
  const memory = openMemoryStore({ clock });
  const store = new Proxy(memory, {
    get(target, name) {
      if (name === "onChange") {
        return (listener: () => void) => {
          listeners.add(listener);
          return () => listeners.delete(listener);
        };
      }
      const value = Reflect.get(target, name) as unknown;
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => {
        if (name === "settle") settled.push((args[0] as { messageId: string }).messageId);
        return value.apply(target, args);
      };
    },
  });
  const change = (): void => [...listeners].forEach((listener) => listener());
  return { store: store as QueueStore, listeners, settled, change };
}

/** One attempt that runs without an end, and mail in line behind it. */
async function withLine(count: number, given?: { clock: ManualClock; store: QueueStore }) {
  const clock = given?.clock ?? new ManualClock();
  const watched = { ...watchedStore(clock), ...given };
  const ends: ((outcome: Outcome) => void)[] = [];
  const out = new FakeTransport({
    maxConcurrency: 1,
    answer: () => new Promise((resolve) => ends.push(resolve)),
  });
  const bench = setUp({ transports: [out], clock, store: watched.store });
  const ids: string[] = [];
  for (let number = 0; number <= count; number++) ids.push(await bench.put("a.example"));
  bench.scheduler.start();
  await clock.advance(0);
  return { ...bench, ...watched, clock, out, ends, ids };
}

Deno.test("what waits is claimed again when others changed the queue, and once more when they are done", async () => {
  const { clock, settled, change, scheduler, store, ids, ends } = await withLine(1);
  change();
  await clock.advance(0);
  assertEquals(settled, [ids[1]]);
  for (let count = 0; count < 5; count++) change();
  await clock.advance(4_999);
  assertEquals(settled.length, 1, "changes that follow each other gather");
  await store.command({
    ...{ filter: { ids: [ids[1] ?? ""] }, command: { kind: "cancel" } },
    ...{ nowMs: clock.now(), by: "tool" },
  });
  await clock.advance(1);
  assertEquals(settled.length, 2);
  assertEquals([await stateOf(store, ids[1] ?? ""), scheduler.activeRecipients], ["cancelled", 1]);
  change();
  await clock.advance(0);
  await clock.advance(5_000);
  ends[0]?.(DELIVERED);
  await clock.advance(0);
  assertEquals(scheduler.activeRecipients, 0);
  assertEquals(scheduler.audit(), []);
});

Deno.test("a later change is heeded at once, as the first was", async () => {
  const { clock, settled, change } = await withLine(1);
  change();
  await clock.advance(6_000);
  settled.length = 0;
  change();
  await clock.advance(0);
  assertEquals(settled.length, 1);
});

Deno.test("a scheduler that stops listens to nobody and leaves no timer", async () => {
  const { clock, change, listeners, scheduler, ends } = await withLine(1);
  assertEquals(listeners.size, 2);
  change();
  await clock.advance(0);
  const stopped = scheduler.stop({ limitMs: 10_000 });
  assertEquals([listeners.size, clock.timers], [0, 1]);
  ends[0]?.(DELIVERED);
  await stopped;
  assertEquals(clock.timers, 0);
});

Deno.test("only the mail of the messages that are named is claimed again", async () => {
  const { clock, settled, scheduler, ids } = await withLine(3);
  scheduler.reclaim(new Set([ids[2] ?? ""]));
  await clock.advance(0);
  assertEquals(settled, [ids[2]]);
  assertEquals(scheduler.activeRecipients, 4);
  assertEquals(scheduler.audit(), []);
});

Deno.test("a notification leaves as soon as it is stored", async () => {
  const out = new FakeTransport({
    answer: ({ domain }) =>
      domain === "bad.example"
        ? { kind: "permanent", reply: reply(550, "5.1.1", "No") }
        : DELIVERED,
  });
  const clock = new ManualClock();
  const bench = setUp({
    ...{ transports: [out], clock },
    notifications: ({ message }) =>
      message.id === "NOTICE"
        ? []
        : [freshMessage({ id: "NOTICE", domain: "sender.example", nowMs: clock.now() })],
  });
  await bench.put("bad.example");
  bench.scheduler.start();
  for (let turn = 0; turn < 3; turn++) await clock.advance(0);
  assertEquals(await stateOf(bench.store, "NOTICE"), "delivered");
  await bench.scheduler.stop({ limitMs: 0 });
});

for (
  const [what, probe] of [
    ["its own", (transport: FakeTransport) => ({ transport })],
    ["one for a domain", () => ({ domain: "a.example" })],
    ["one of all ways", () => "all" as const],
  ] as const
) {
  Deno.test(`a probe of a transport that is down as a whole is made at once: ${what}`, async () => {
    let outcome: Outcome = { ...UNREACHABLE, scope: "transport" } as Outcome;
    const out = new FakeTransport({ answer: () => outcome });
    const bench = setUp({ transports: [out] });
    const id = await bench.put("a.example");
    bench.scheduler.start();
    await bench.clock.advance(0);
    assertEquals(bench.scheduler.transportState(out).kind, "down");
    const waits = (await bench.store.get(id))?.recipients[0];
    assertEquals([waits?.attempts, waits?.lastReply.slice(0, 9)], [0, "451 4.4.1"]);
    outcome = DELIVERED;
    const retry = { command: { kind: "retry" }, nowMs: bench.clock.now(), by: "test" } as const;
    await bench.store.command({ ...retry, filter: {} });
    bench.scheduler.probe(probe(out));
    await bench.clock.advance(0);
    await bench.clock.advance(0);
    assertEquals(await stateOf(bench.store, id), "delivered");
    await bench.scheduler.stop({ limitMs: 0 });
  });
}

Deno.test("mail that waits for a way that is gone leaves at once by one that a reload brings", async () => {
  const out = new FakeTransport({
    answer: () => ({ ...UNREACHABLE, scope: "transport" } as Outcome),
  });
  const added = new FakeTransport({ name: "added" });
  const bench = setUp({ transports: [out] });
  const id = await bench.put("a.example");
  bench.scheduler.start();
  await bench.clock.advance(0);
  assertEquals([await stateOf(bench.store, id), bench.scheduler.activeRecipients], ["queued", 0]);
  bench.scheduler.replaceRouter(createRouter([{ name: "new", match: {}, transports: ["added"] }], {
    transports: new Map([["added", added]]),
    random: seededRandom(1),
  }));
  await bench.clock.advance(0);
  assertEquals(await stateOf(bench.store, id), "delivered");
  await bench.scheduler.stop({ limitMs: 0 });
});

Deno.test("places of a message whose lease is over are free again, octets included", async () => {
  const bench = setUp({ transports: [new FakeTransport()] });
  bench.scheduler.start();
  const message = freshMessage({ id: "SLOW", domain: "a.example", nowMs: bench.clock.now() });
  const recipients = message.recipients.map((one, index) => ({
    ...{ ...one, index, attempts: 0, delayNotified: false, lastReply: "" },
  }));
  const bytes = new Uint8Array(600_000);
  for (let round = 0; round < 3; round++) {
    const lease = bench.scheduler.reserve(recipients, bytes.length);
    assertEquals(lease === null, false);
    const { untilMs = 0 } = lease ?? {};
    await bench.clock.advance(600_000);
    bench.scheduler.enterReserved({ message, recipients, bytes }, { owner: "node", untilMs });
  }
  assertEquals(bench.scheduler.activeRecipients, 0);
  await bench.scheduler.stop({ limitMs: 0 });
});

Deno.test("places that are given back are filled at once with what waited for them", async () => {
  for (const isLate of [false, true]) {
    const bench = setUp({
      transports: [new FakeTransport({ answer: () => new Promise(() => {}) })],
      window: 4,
    });
    const { scheduler, clock } = bench;
    scheduler.start();
    const message = freshMessage({ id: "LATE", domain: "a.example", recipients: 3, nowMs: 0 });
    const lease = scheduler.reserve(message.recipients, 0);
    await bench.put("b.example");
    scheduler.wake();
    await clock.advance(0);
    await bench.put("c.example");
    scheduler.wake();
    await clock.advance(0);
    assertEquals([lease === null, scheduler.activeRecipients], [false, 4]);
    if (isLate) {
      const facts = { attempts: 0, delayNotified: false, lastReply: "" };
      const recipients = message.recipients.map((one, index) => ({ ...one, ...facts, index }));
      scheduler.enterReserved({ message, recipients }, { owner: "node", untilMs: 0 });
    } else scheduler.unreserve(message.recipients, 0);
    await clock.advance(0);
    assertEquals(scheduler.activeRecipients, 2);
  }
});

Deno.test("mail of a destination that is down says so with a temporary code", async () => {
  const out = new FakeTransport({ answer: () => UNREACHABLE, maxConcurrency: 1 });
  const bench = setUp({ transports: [out] });
  const ids = [await bench.put("a.example"), await bench.put("a.example")];
  bench.scheduler.start();
  await bench.clock.advance(0);
  const replies = await Promise.all(
    ids.map(async (id) => (await bench.store.get(id))?.recipients[0]?.lastReply),
  );
  assertEquals(replies, new Array(2).fill("451 4.4.1 Connection refused"));
  await bench.scheduler.stop({ limitMs: 0 });
});

Deno.test("a commit that ends while the relay drains ends no claim of attempts under way", async () => {
  const clock = new ManualClock();
  const store = openMemoryStore({ clock });
  const { out, ends, ids: [id = ""], scheduler } = await withLine(0, { clock, store });
  const message = freshMessage({ id: "LATE", domain: "b.example", nowMs: clock.now() });
  const lease = scheduler.reserve(message.recipients, 0);
  const stopped = scheduler.stop({ limitMs: 60_000 });
  await store.put({ ...message, ...(lease === null ? {} : { lease }) });
  const facts = { attempts: 0, delayNotified: false, lastReply: "" };
  const recipients = message.recipients.map((one, index) => ({ ...one, ...facts, index }));
  scheduler.enterReserved({ message, recipients }, lease ?? undefined);
  await clock.advance(0);
  ends[0]?.({ kind: "permanent", reply: reply(550, "5.1.1", "No such user") });
  await clock.advance(0);
  await stopped;
  assertEquals(out.jobs.length, 1);
  assertEquals([await stateOf(store, id), await stateOf(store, "LATE")], ["failed", "queued"]);
  const late = await store.get("LATE");
  assertEquals(late?.recipients.map(({ claimedBy }) => claimedBy ?? null), [null]);
});

Deno.test("a commit that ends after the relay gave back its claims is given back, too", async () => {
  const clock = new ManualClock();
  const store = openMemoryStore({ clock });
  const { scheduler } = setUp({ transports: [new FakeTransport()], clock, store });
  scheduler.start();
  const message = freshMessage({ id: "LATE", domain: "b.example", nowMs: clock.now() });
  const lease = scheduler.reserve(message.recipients, 0);
  await scheduler.stop({ limitMs: 0 });
  await store.put({ ...message, ...(lease === null ? {} : { lease }) });
  const facts = { attempts: 0, delayNotified: false, lastReply: "" };
  const recipients = message.recipients.map((one, index) => ({ ...one, ...facts, index }));
  scheduler.enterReserved({ message, recipients }, lease ?? undefined);
  await clock.advance(0);
  const late = await store.get("LATE");
  assertEquals(late?.recipients.map(({ claimedBy }) => claimedBy ?? null), [null]);
});
