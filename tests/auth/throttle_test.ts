import { assert, assertEquals } from "@std/assert";
import { BoundedMap } from "../../src/base/bounded_map.ts";
import { KnownSites } from "../../src/base/known_sites.ts";
import { Place } from "../../src/auth/place.ts";
import type { ThrottleRules } from "../../src/auth/settings.ts";
import { type Attempt, Throttle, type Ticket } from "../../src/auth/throttle.ts";
import { networkOf, siteOf } from "../../src/base/ip.ts";
import { ManualClock, settle } from "../support/manual_clock.ts";

const RULES: ThrottleRules = { freeFailures: 2, delayMs: 100, maxDelayMs: 800, forgetMs: 10_000 };
const A = "192.0.2.1";
const B = "198.51.100.7";

function failed(times: number, nowMs = 0, place = new Place(1)): Place {
  for (let time = 0; time < times; time++) {
    place.end(place.begin(nowMs), { result: "wrong", nowMs, rules: RULES });
  }
  return place;
}

Deno.test("place: nothing for the first failures, then twice as much each time, to the limit", () => {
  const waits = [0, 1, 2, 3, 4, 5, 6, 7, 100].map((times) =>
    failed(times).waitMs({ nowMs: 0, rules: RULES })
  );
  assertEquals(waits, [0, 0, 0, 100, 200, 400, 800, 800, 800]);
  assertEquals(failed(9, 0, new Place(4)).waitMs({ nowMs: 0, rules: RULES }), 100);
});

Deno.test("place: failures halve with each time that passes without one", () => {
  const weights = [9_999, 10_000, 20_000, 40_000].map((laterMs) =>
    failed(1, 1000 + laterMs, failed(8, 1000)).weight
  );
  assertEquals(weights, [9, 5, 3, 1]);
});

Deno.test("place: no more are under way than may fail, and what went away has failed", () => {
  const rules = { ...RULES, forgetMs: 1e9 };
  const place = failed(1);
  const leases = [place.begin(0), place.begin(0)];
  assertEquals(place.waitMs({ nowMs: 0, rules: RULES }), Infinity);
  const [first, second] = leases;
  assert(first !== undefined && second !== undefined);
  place.end(first, { result: "right", nowMs: 0, rules });
  assertEquals(place.waitMs({ nowMs: 0, rules }), 0);
  place.begin(0);
  assertEquals(place.waitMs({ nowMs: 30_000, rules }), 100);
  assertEquals(place.weight, 3);
  place.end(second, { result: "right", nowMs: 30_000, rules });
  assertEquals(place.weight, 2, "it was right after all");
});

function benchOf(rules = RULES) {
  const clock = new ManualClock(0);
  const throttle = new Throttle(rules, clock);
  const { signal } = new AbortController();
  const admit = (attempt: Attempt) => throttle.admit(attempt, signal);
  /** How long it takes until an attempt is let in; null where it is not. */
  const waited = async (attempt: Attempt): Promise<[number | null, Ticket | null]> => {
    const startMs = clock.now();
    let ticket: Ticket | null | undefined;
    Promise.resolve(admit(attempt)).then((known) => ticket = known);
    await settle();
    while (ticket === undefined) await clock.advance(50);
    return [ticket === null ? null : clock.now() - startMs, ticket];
  };
  const end = async (attempt: Attempt, result: "right" | "wrong" | "none", times = 1) => {
    for (let time = 0; time < times; time++) (await waited(attempt))[1]?.end(result);
  };
  return { clock, throttle, admit, waited, end };
}

Deno.test("throttle: failures of one user count for it from anywhere, as a wait and no refusal", async () => {
  const { waited, end } = benchOf();
  await end({ clientAddress: A, user: "alice" }, "wrong", 5);
  const [waitMs, ticket] = await waited({ clientAddress: B, user: "alice" });
  assertEquals(waitMs, 400);
  ticket?.end("none");
  assertEquals((await waited({ clientAddress: B, user: "bob" }))[0], 0);
});

Deno.test("throttle: an attempt without a user counts for the address alone", async () => {
  const { waited, end } = benchOf();
  await end({ clientAddress: A, user: null }, "wrong", 3);
  assertEquals((await waited({ clientAddress: B, user: null }))[0], 0);
  assertEquals((await waited({ clientAddress: A, user: "x" }))[0], 100);
});

Deno.test("throttle: a client that is known has failures of its own", async () => {
  const { waited, end } = benchOf();
  const pair = { clientAddress: A, user: "alice" };
  await end(pair, "right");
  await end({ clientAddress: B, user: "alice" }, "wrong", 5);
  await end({ clientAddress: A, user: "bob" }, "wrong", 5);
  const [waitMs, ticket] = await waited(pair);
  assertEquals(waitMs, 0);
  ticket?.end("none");
  await end(pair, "wrong", 9);
  assertEquals((await waited(pair))[0], 100);
});

Deno.test("throttle: what a known client fails counts for the others of its address", async () => {
  const { waited, end } = benchOf();
  await end({ clientAddress: A, user: "alice" }, "right");
  await end({ clientAddress: A, user: "alice" }, "wrong", 3);
  assertEquals((await waited({ clientAddress: A, user: "bob" }))[0], 100);
});

Deno.test("throttle: what ended without a look at the credentials costs nothing", async () => {
  const { waited, end } = benchOf();
  await end({ clientAddress: A, user: "alice" }, "none", 20);
  assertEquals((await waited({ clientAddress: A, user: "alice" }))[0], 0);
});

Deno.test("throttle: a ticket ends once", async () => {
  const { waited } = benchOf();
  const [, ticket] = await waited({ clientAddress: A, user: null });
  for (let time = 0; time < 5; time++) ticket?.end("wrong");
  assertEquals((await waited({ clientAddress: A, user: null }))[0], 0);
});

Deno.test("throttle: new rules hold at once", async () => {
  const { throttle, waited, end } = benchOf();
  throttle.use({ ...RULES, freeFailures: 0 });
  await end({ clientAddress: A, user: "alice" }, "wrong");
  assertEquals((await waited({ clientAddress: A, user: "alice" }))[0], 100);
});

Deno.test("throttle: who waits is bounded, in all and for each network", async () => {
  const { clock, admit } = benchOf();
  const steps = Array.from(
    { length: 100 },
    (_, number) =>
      Promise.resolve(admit({ clientAddress: `10.0.0.${number % 3}`, user: `u${number}` })),
  );
  let known = 0;
  for (const step of steps) step.then(() => known++);
  await settle();
  assertEquals(known, 100 - 64, "those let in, and those that are too many");
  await clock.advance(10_000);
  assertEquals(known, 100);
});

Deno.test("throttle: 1,024 wait in all, and as many again when those are gone", async () => {
  const { clock, admit } = benchOf();
  for (const net of [10, 11]) {
    let pending = 0;
    for (let number = 0; number < 20 * 100; number++) {
      const clientAddress = `${net}.0.${number % 20}.1`;
      pending++;
      Promise.resolve(admit({ clientAddress, user: `u${net} ${number}` })).then(() => pending--);
    }
    await settle();
    assertEquals(pending, 1_024);
    await clock.advance(10_000);
    assertEquals(pending, 0);
  }
});

Deno.test("a client is its address, an IPv6 client its /64; around it are /24 and /48", () => {
  assertEquals(siteOf(A), A);
  assertEquals(siteOf("::ffff:192.0.2.1"), A);
  assertEquals(siteOf("2001:db8:0:1::5"), "20010db800000001");
  assertEquals(siteOf("2001:db8:0:1:ffff::"), "20010db800000001");
  assertEquals(siteOf("pipe"), "pipe");
  assertEquals([networkOf(A), networkOf("2001:db8:7:1::5"), networkOf("pipe")], [
    ...["192.0.2", "20010db80007", "pipe"],
  ]);
});

Deno.test("known sites: a user with many addresses pushes out no other user", () => {
  const known = new KnownSites();
  known.add({ user: "bob", site: "b" });
  for (let site = 0; site < 20_000; site++) known.add({ user: "alice", site: `${site}` });
  assert(known.has({ user: "bob", site: "b" }));
  assert(known.has({ user: "alice", site: "19999" }));
  assert(!known.has({ user: "alice", site: "0" }));
});

Deno.test("bounded map: the entry that was set longest ago goes first", () => {
  const map = new BoundedMap<string, number>(2);
  map.set("a", 1);
  map.set("b", 2);
  map.set("a", 3);
  map.set("c", 4);
  assertEquals([map.get("a"), map.get("b"), map.get("c"), map.size], [3, undefined, 4, 2]);
  map.delete("a");
  assertEquals([map.get("a"), map.size], [undefined, 1]);
  map.clear();
  assertEquals(map.size, 0);
});
