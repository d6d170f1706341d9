import { assertEquals } from "@std/assert";
import type { Outcome } from "../../src/delivery/transport.ts";
import { Shaper } from "../../src/delivery/shaping/shaper.ts";
import { reply } from "../../src/mail/reply.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { DELIVERED, FakeTransport, setUp, stateOf } from "./scheduler_setup.ts";

const TOO_LARGE: Outcome = { kind: "unsuitable", reply: reply(552, "5.3.4", "Too large") };

/** Two transports of one route, where each attempt by either takes a place of one slow rate. */
function shared(second: Outcome, unfit = TOO_LARGE) {
  const clock = new ManualClock();
  const first = new FakeTransport({ name: "first", answer: () => unfit });
  const other = new FakeTransport({ name: "other", answer: () => second });
  const shaper = new Shaper([{
    name: "all",
    match: {},
    shared: true,
    limits: { rates: [{ count: 1, perMs: 300_000 }] },
  }], { clock, resolver: { mx: () => Promise.reject(new Error("nobody asks")) } });
  return { ...setUp({ clock, transports: [first, other], shaper }), first, other };
}

Deno.test("mail that an earlier transport cannot carry gets the place that a later one has", async () => {
  const { clock, scheduler, store, first, other, put } = shared(DELIVERED);
  const id = await put("dest.example");
  scheduler.start();
  await clock.advance(3_600_000);
  assertEquals(await stateOf(store, id), "delivered");
  assertEquals([first.jobs.length, other.jobs.length], [1, 1]);
});

Deno.test("mail that no transport can carry comes back, however long each is waited for", async () => {
  const { clock, scheduler, store, first, other, put } = shared(TOO_LARGE);
  const id = await put("dest.example");
  scheduler.start();
  await clock.advance(3_600_000);
  assertEquals(await stateOf(store, id), "failed");
  assertEquals([first.jobs.length, other.jobs.length], [1, 1]);
});

Deno.test("what did not fit an hour ago is tried again", async () => {
  const clock = new ManualClock();
  const first: FakeTransport = new FakeTransport({
    name: "first",
    answer: (): Outcome => first.jobs.length === 1 ? TOO_LARGE : DELIVERED,
  });
  const busy: Outcome = { kind: "temporary", reply: reply(451, "4.3.0", "Busy") };
  const other = new FakeTransport({ name: "other", answer: () => busy });
  const { scheduler, store, put } = setUp({ clock, transports: [first, other] });
  const id = await put("dest.example");
  scheduler.start();
  await clock.advance(3_500_000);
  assertEquals(first.jobs.length, 1);
  await clock.advance(24 * 3_600_000);
  assertEquals(await stateOf(store, id), "delivered");
  assertEquals(first.jobs.length, 2);
});

Deno.test("a transport that may carry it later is passed over until the next attempt", async () => {
  const unfit: Outcome = {
    kind: "broken",
    scope: "message",
    reply: reply(451, "4.4.1", "Connection refused"),
  };
  const busy: Outcome = { kind: "temporary", reply: reply(451, "4.3.0", "Busy") };
  const { clock, scheduler, store, first, other, put } = shared(busy, unfit);
  const id = await put("dest.example");
  scheduler.start();
  await clock.advance(400_000);
  assertEquals([first.jobs.length, other.jobs.length], [1, 1]);
  await clock.advance(3_600_000);
  assertEquals(first.jobs.length, other.jobs.length);
  assertEquals(first.jobs.length, (await store.get(id))?.recipients[0]?.attempts);
  await scheduler.stop({ limitMs: 0 });
});
