/** What is forgotten with an attempt, a reload or a stop, and no sooner. */
import { assertEquals } from "@std/assert";
import { seededRandom } from "../../src/base/random.ts";
import type { Job } from "../../src/delivery/job.ts";
import { Misfits } from "../../src/delivery/misfits.ts";
import { createRouter } from "../../src/delivery/router.ts";
import { Shaper } from "../../src/delivery/shaping/shaper.ts";
import type { Outcome } from "../../src/delivery/transport.ts";
import { reply } from "../../src/mail/reply.ts";
import { openMemoryStore } from "../../src/queue/memory/store.ts";
import type { QueueStore, RecipientRecord } from "../../src/queue/store.ts";
import { ManualClock } from "../support/manual_clock.ts";
import {
  type Bench,
  FakeTransport,
  freshMessage,
  setUp,
  stateOf,
  UNREACHABLE,
} from "./scheduler_setup.ts";

const SUSPENDED = { ...UNREACHABLE, scope: "transport" } as Outcome;
const TOO_LARGE: Outcome = { kind: "unsuitable", reply: reply(552, "5.3.4", "Too large") };
const LATER: Outcome = { kind: "temporary", reply: reply(451, "4.3.0", "Later") };

function names({ scheduler }: Bench): string[] {
  return [...scheduler.destinations].map(({ name, transport }) => `${transport.name} ${name}`);
}

/** Uses one route over `transports` from now on; others are there, too. */
function reroute({ scheduler }: Bench, used: FakeTransport[], others: FakeTransport[] = []): void {
  const route = { name: "new", match: {}, transports: used.map(({ name }) => name) };
  scheduler.replaceRouter(createRouter([route], {
    transports: new Map([...used, ...others].map((one) => [one.name, one])),
    random: seededRandom(1),
  }));
}

Deno.test("a destination is forgotten with its last attempt, and one that is down is not", async () => {
  const out = new FakeTransport({
    answer: ({ domain }) => domain === "down.example" ? UNREACHABLE : LATER,
  });
  const bench = setUp({ transports: [out] });
  for (const domain of ["a.example", "down.example"]) await bench.put(domain);
  bench.scheduler.start();
  await bench.clock.advance(0);
  assertEquals(names(bench), ["out down.example"]);
  await bench.scheduler.stop({ limitMs: 0 });
});

Deno.test("a reload forgets destinations of transports that are gone", async () => {
  const [old, kept] = [
    new FakeTransport({ name: "old", answer: () => UNREACHABLE }),
    new FakeTransport({ name: "kept", answer: () => UNREACHABLE }),
  ];
  const bench = setUp({ transports: [old, kept] });
  await bench.put("a.example");
  bench.scheduler.start();
  await bench.clock.advance(0);
  assertEquals(names(bench), ["old a.example", "kept a.example"]);
  reroute(bench, [kept]);
  assertEquals(names(bench), ["kept a.example"]);
  await bench.scheduler.stop({ limitMs: 0 });
});

Deno.test("a reload forgets transports that operators chose, so that the gate may close", async () => {
  const out = new FakeTransport({ answer: () => SUSPENDED });
  const spare = new FakeTransport({ name: "spare", answer: () => LATER });
  const bench = setUp({ transports: [out, spare], routes: [["out"]] });
  const id = await bench.put("a.example");
  await bench.store.command({
    ...{ filter: { ids: [id] }, command: { kind: "reroute", transport: "spare" } },
    ...{ nowMs: bench.clock.now(), by: "ada" },
  });
  bench.scheduler.start();
  await bench.clock.advance(0);
  assertEquals([out.jobs.length, spare.jobs.length], [0, 1]);
  const mayCome = () => {
    const recipients = [{ domain: "b.example" }];
    const lease = bench.scheduler.reserve(recipients, 0);
    if (lease !== null) bench.scheduler.unreserve(recipients, 0);
    return lease !== null;
  };
  await bench.put("b.example");
  bench.scheduler.wake();
  await bench.clock.advance(0);
  assertEquals([out.jobs.length, mayCome()], [1, true], "mail may be on its way by the other");
  reroute(bench, [out], [spare]);
  await bench.put("c.example");
  bench.scheduler.wake();
  await bench.clock.advance(0);
  assertEquals([out.jobs.length, mayCome()], [2, false]);
  await bench.scheduler.stop({ limitMs: 0 });
});

Deno.test("a reload forgets what did not fit, as transports may take more by now", async () => {
  const first = new FakeTransport({ name: "first", answer: () => TOO_LARGE });
  const other = new FakeTransport({ name: "other", answer: () => LATER });
  const bench = setUp({ transports: [first, other] });
  await bench.put("a.example");
  bench.scheduler.start();
  await bench.clock.advance(0);
  await bench.clock.advance(61_000);
  assertEquals([first.jobs.length, other.jobs.length], [1, 2]);
  reroute(bench, [first, other]);
  await bench.clock.advance(130_000);
  assertEquals([first.jobs.length, other.jobs.length], [2, 3]);
  await bench.scheduler.stop({ limitMs: 0 });
});

/** A job of one message with a transport. */
function jobOf(id: string, transport: FakeTransport): Job {
  const message = freshMessage({ id, domain: "a.example", nowMs: 0 });
  return { entry: { message }, transports: [transport], step: 0 } as unknown as Job;
}

Deno.test("so many misfits are remembered, for an hour each, by message, recipient and transport", () => {
  const misfits = new Misfits();
  const [out, other] = [new FakeTransport(), new FakeTransport({ name: "other" })];
  const [one, two] = [{ index: 0 }, { index: 1 }] as RecipientRecord[] as [
    RecipientRecord,
    RecipientRecord,
  ];
  const said = { kind: "unsuitable", reply: reply(552, "5.3.4", "Too large") } as const;
  const first = jobOf("FIRST", out);
  assertEquals(misfits.find(first, { recipient: one, nowMs: 0 }), null);
  misfits.note(first, { recipient: one, outcome: said, nowMs: 0 });
  const found = (job: Job, recipient = one, nowMs = 0) => misfits.find(job, { recipient, nowMs });
  assertEquals([found(first), found(first, two), found(jobOf("SECOND", out))], [said, null, null]);
  assertEquals(found(jobOf("FIRST", other)), null);
  misfits.note(jobOf("FIRST", other), { recipient: one, outcome: said, nowMs: 1_000 });
  assertEquals([found(first), found(jobOf("FIRST", other))], [said, said]);
  assertEquals([found(first, one, 3_600_999), found(first, one, 3_601_000)], [said, null]);
  misfits.note(jobOf("SECOND", out), { recipient: one, outcome: said, nowMs: 0 });
  misfits.note(first, { recipient: one, outcome: said, nowMs: 0 });
  for (let count = 0; count < 9_999; count++) {
    misfits.note(jobOf(`M${count}`, out), { recipient: one, outcome: said, nowMs: 0 });
  }
  assertEquals([found(first), found(jobOf("SECOND", out)), found(jobOf("M9998", out))], [
    ...[said, null, said],
  ]);
  misfits.clear();
  assertEquals(found(first), null);
});

Deno.test("a stop leaves no timer of lines that rest, and waits until claims are given back", async () => {
  const clock = new ManualClock();
  const memory = openMemoryStore({ clock });
  let isGivenBack = false;
  const store = new Proxy(memory, {
    get(target, name) {
      const value = Reflect.get(target, name) as unknown;
      if (name !== "abandon" || typeof value !== "function") {
        return typeof value === "function" ? value.bind(target) : value;
      }
      return async (...args: unknown[]) => {
        await new Promise((resolve) => setTimeout(resolve));
        isGivenBack = true;
        return await value.apply(target, args);
      };
    },
  }) as QueueStore;
  const limits = { rates: [{ count: 1, perMs: 4_000 }] };
  const shaper = new Shaper([{ name: "slow", match: {}, shared: true, limits }], {
    ...{ clock, resolver: { mx: () => Promise.reject(new Error("nobody asks")) } },
  });
  const bench = setUp({ transports: [new FakeTransport()], shaper, clock, store });
  const ids = [await bench.put("a.example"), await bench.put("a.example")];
  bench.scheduler.start();
  await clock.advance(0);
  assertEquals(await Promise.all(ids.map((id) => stateOf(memory, id))), ["delivered", "queued"]);
  await bench.scheduler.stop({ limitMs: 1_000 });
  assertEquals([isGivenBack, clock.timers], [true, 0]);
  assertEquals((await memory.get(ids[1] ?? ""))?.recipients[0]?.claimedBy, null);
});
