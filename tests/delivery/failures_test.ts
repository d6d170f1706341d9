import { assert, assertEquals } from "@std/assert";
import { LOOK_AGAIN_MS } from "../../src/base/clock.ts";
import { reply } from "../../src/mail/reply.ts";
import { openMemoryStore } from "../../src/queue/memory/store.ts";
import { type QueueStore, StoreError } from "../../src/queue/store.ts";
import { BodyGoneError } from "../../src/delivery/body.ts";
import type { Outcome } from "../../src/delivery/transport.ts";
import { Shaper } from "../../src/delivery/shaping/shaper.ts";
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

/** A store whose next calls fail as a test says. */
function failingStore(clock: ManualClock) {
  const store = openMemoryStore({ clock });
  const failures = new Map<string, number>();
  const calls: string[] = [];
  const proxy = new Proxy(store, {
    get(target, name: keyof QueueStore & string) {
      const value = Reflect.get(target, name) as unknown;
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => {
        calls.push(name);
        const left = failures.get(name) ?? 0;
        if (left <= 0) return value.apply(target, args);
        failures.set(name, left - 1);
        return Promise.reject(new StoreError("unavailable", `Cannot ${name}: made to fail`));
      };
    },
  });
  const fail = (name: string, times: number): void => void failures.set(name, times);
  const count = (name: string): number => calls.filter((one) => one === name).length;
  return { store: proxy, fail, count };
}

Deno.test("a claim that the store refuses is made again", async () => {
  const clock = new ManualClock();
  const { store, fail } = failingStore(clock);
  const { scheduler, put, events } = setUp({ transports: [new FakeTransport()], clock, store });
  const id = await put("a.example");
  fail("claim", 2);
  scheduler.start();
  await clock.advance(4_000);
  assertEquals(await stateOf(store, id), "queued");
  await clock.advance(LOOK_AGAIN_MS);
  assertEquals(await stateOf(store, id), "delivered");
  assertEquals(events.filter(({ type }) => type === "trouble").length, 2);
  await scheduler.stop({ limitMs: 0 });
  assertEquals(clock.timers, 0);
});

Deno.test("a settlement that the store refuses is repeated, and nothing is sent again", async () => {
  const clock = new ManualClock();
  const { store, fail } = failingStore(clock);
  const out = new FakeTransport();
  const { scheduler, put } = setUp({ transports: [out], clock, store });
  const id = await put("a.example");
  fail("settle", 3);
  scheduler.start();
  await clock.advance(0);
  assertEquals(scheduler.audit(), []);
  assertEquals(scheduler.activeRecipients, 1, "it stays in the window until it is on disk");
  await clock.advance(3_000);
  assertEquals([await stateOf(store, id), out.jobs.length], ["delivered", 1]);
  assertEquals(scheduler.activeRecipients, 0);
  await scheduler.stop({ limitMs: 0 });
});

Deno.test("a settlement that the store never takes does not keep the relay from stopping", async () => {
  const clock = new ManualClock();
  const { store, fail } = failingStore(clock);
  const { scheduler, put } = setUp({ transports: [new FakeTransport()], clock, store });
  const id = await put("a.example");
  fail("settle", Infinity);
  scheduler.start();
  await clock.advance(0);
  const stopped = scheduler.stop({ limitMs: 10_000 });
  await clock.advance(10_000);
  await stopped;
  assertEquals((await store.get(id))?.recipients[0]?.claimedBy, null);
  assertEquals(clock.timers, 0);
});

Deno.test("claims are renewed again and again, also after a renewal that failed", async () => {
  const clock = new ManualClock();
  const { store, fail, count } = failingStore(clock);
  const out = new FakeTransport({ answer: () => new Promise(() => {}) });
  const { scheduler, put } = setUp({ transports: [out], clock, store });
  await put("a.example");
  scheduler.start();
  await clock.advance(0);
  fail("renew", 1);
  await clock.advance(800_000);
  assertEquals(count("renew"), 4);
  await clock.advance(3_600_000);
  assertEquals(out.jobs.length, 1);
  assertEquals(scheduler.audit(), []);
});

Deno.test("a claim whose answer was lost is given back after its lease", async () => {
  const clock = new ManualClock();
  const store = openMemoryStore({ clock });
  const out = new FakeTransport();
  const { scheduler } = setUp({ transports: [out], clock, store });
  scheduler.start();
  const nowMs = clock.now();
  const message = freshMessage({ id: "LOST", domain: "a.example", nowMs });
  await store.put({ ...message, lease: { owner: "node", untilMs: nowMs + 600_000 } });
  await clock.advance(590_000);
  assertEquals(out.jobs.length, 0);
  await clock.advance(210_000 + LOOK_AGAIN_MS);
  assertEquals(await stateOf(store, "LOST"), "delivered");
  await scheduler.stop({ limitMs: 0 });
});

Deno.test("a commit that took longer than its lease is left to the next claim", async () => {
  const out = new FakeTransport();
  const { clock, store, scheduler } = setUp({ transports: [out] });
  scheduler.start();
  const message = freshMessage({ id: "SLOW", domain: "a.example", nowMs: clock.now() });
  const lease = scheduler.reserve(message.recipients, 10);
  assert(lease !== null);
  await clock.advance(700_000);
  await store.put({ ...message, lease });
  const recipients = message.recipients.map((one, index) => ({
    ...{ ...one, index, attempts: 0, delayNotified: false, lastReply: "" },
  }));
  scheduler.enterReserved({ message, recipients, bytes: new Uint8Array(10) }, lease);
  assertEquals([scheduler.activeRecipients, out.jobs.length], [0, 0]);
  await clock.advance(300_000);
  assertEquals([await stateOf(store, "SLOW"), out.jobs.length], ["delivered", 1]);
  await scheduler.stop({ limitMs: 0 });
});

Deno.test("a look-up of exchangers that fails puts mail off, uncounted, and strands nothing", async () => {
  const clock = new ManualClock();
  let isBroken = true;
  const answer = { kind: "none", ttlMs: 0, authentic: false, trouble: null } as const;
  const shaper = new Shaper(
    [{
      name: "big",
      match: { mx: ["*.big.example"] },
      shared: true,
      limits: { rates: [] },
    }],
    {
      clock,
      resolver: {
        mx: () => isBroken ? Promise.reject(new Error("made to fail")) : Promise.resolve(answer),
      },
    } as unknown as ConstructorParameters<typeof Shaper>[1],
  );
  const out = new FakeTransport({ kind: "mx" });
  const { store, scheduler, put } = setUp({ transports: [out], shaper, clock });
  const id = await put("a.example", { recipients: 2 });
  scheduler.start();
  await clock.advance(0);
  assertEquals(scheduler.audit(), []);
  assertEquals([await stateOf(store, id), scheduler.activeRecipients], ["queued,queued", 0]);
  assertEquals((await store.get(id))?.recipients[0]?.attempts, 0);
  isBroken = false;
  await clock.advance(61_000);
  assertEquals(await stateOf(store, id), "delivered,delivered");
  await scheduler.stop({ limitMs: 0 });
});

Deno.test("suppressions that cannot be read put mail off and let others go", async () => {
  let isBroken = true;
  const { clock, store, scheduler, put } = setUp({
    transports: [new FakeTransport()],
    suppressions: {
      mayHave: (mailbox) => mailbox.startsWith("r0"),
      find: () => isBroken ? Promise.reject(new Error("made to fail")) : Promise.resolve(null),
    },
  });
  const id = await put("a.example", { recipients: 2 });
  scheduler.start();
  await clock.advance(0);
  assertEquals(await stateOf(store, id), "queued,delivered");
  isBroken = false;
  await clock.advance(61_000);
  assertEquals(await stateOf(store, id), "delivered,delivered");
  await scheduler.stop({ limitMs: 0 });
});

Deno.test("suppressions that throw strand nobody", async () => {
  const { clock, store, scheduler, put } = setUp({
    transports: [new FakeTransport()],
    suppressions: {
      mayHave: () => {
        throw new Error("made to fail");
      },
      find: () => Promise.resolve(null),
    },
  });
  const ids = [await put("a.example"), await put("b.example")];
  scheduler.start();
  await clock.advance(0);
  for (const id of ids) assertEquals(await stateOf(store, id), "queued");
  assertEquals([scheduler.audit(), scheduler.activeRecipients], [[], 0]);
  await scheduler.stop({ limitMs: 0 });
});

for (const what of ["classifier", "emit", "onRefused", "dialogues", "retry"] as const) {
  Deno.test(`mail that was taken stays that when ${what} throws afterwards`, async () => {
    const out = new FakeTransport({
      answer: (job) =>
        job.domain === "no.example"
          ? { kind: "permanent", reply: reply(550, "5.1.1", "No"), fromPeer: true }
          : job.domain === "later.example"
          ? UNREACHABLE
          : DELIVERED,
    });
    const bench = setUp({ transports: [out], throwing: what });
    const ids: string[] = [];
    for (const domain of ["a.example", "no.example", "later.example"]) {
      ids.push(await bench.put(domain));
    }
    bench.scheduler.start();
    for (let hour = 0; hour < 3; hour++) await bench.clock.advance(3_600_000);
    assertEquals(bench.scheduler.audit(), []);
    assertEquals(out.jobs.filter(({ domain }) => domain === "a.example").length, 1);
    assertEquals(await stateOf(bench.store, ids[0] ?? ""), "delivered");
    assertEquals(out.jobs.filter(({ domain }) => domain === "no.example").length, 1);
    await bench.scheduler.stop({ limitMs: 0 });
  });
}

Deno.test("octets that are gone hold a message only if the store says that it is not over", async () => {
  const clock = new ManualClock();
  const { store, fail } = failingStore(clock);
  const gone = new BodyGoneError("Cannot read the body: it is not in the store");
  const answer = () => Promise.reject<Outcome>(gone);
  const { scheduler, put, events } = setUp({
    ...{ transports: [new FakeTransport({ answer })], clock, store },
  });
  const id = await put("a.example");
  fail("get", 1);
  scheduler.start();
  await clock.advance(0);
  assertEquals([await stateOf(store, id), scheduler.activeRecipients], ["queued", 0]);
  const causes = events.flatMap((event) => event.type === "trouble" ? [event.cause] : []);
  assertEquals(causes.map((cause) => cause instanceof StoreError), [true]);
  await clock.advance(3_600_000);
  assertEquals(await stateOf(store, id), "held");
  await scheduler.stop({ limitMs: 0 });
});

Deno.test("a fault that some recipients of an attempt met is told, unless the message is over", async () => {
  for (const isCancelled of [false, true]) {
    const out = new FakeTransport();
    const { clock, store, scheduler, put, events } = setUp({ transports: [out] });
    const id = await put("a.example");
    out.deliver = async ({ recipients }) => {
      const filter = { ids: [id] };
      const command = { kind: "cancel" } as const;
      if (isCancelled) await store.command({ filter, command, nowMs: clock.now(), by: "op" });
      return {
        outcomes: recipients.map(() => GREYLISTED),
        ...{ remote: null, tls: null, fault: new BodyGoneError("it is not in the store") },
      };
    };
    scheduler.start();
    await clock.advance(0);
    const troubles = events.filter(({ type }) => type === "trouble");
    assertEquals([await stateOf(store, id), troubles.length], [
      isCancelled ? "cancelled" : "queued",
      isCancelled ? 0 : 1,
    ]);
    await scheduler.stop({ limitMs: 0 });
  }
});
