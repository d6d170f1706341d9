import { assertEquals } from "@std/assert";
import { BoundedMap } from "../../src/auth/bounded_map.ts";
import { afterFailure, delayAfter, NO_PENALTY, reserved, waitOf } from "../../src/auth/penalty.ts";
import type { ThrottleRules } from "../../src/auth/settings.ts";
import { siteOf, Throttle } from "../../src/auth/throttle.ts";

const RULES: ThrottleRules = { freeFailures: 2, delayMs: 100, maxDelayMs: 800, forgetMs: 10_000 };
const A = "192.0.2.1";
const B = "198.51.100.7";

function failed(times: number, nowMs = 0) {
  let penalty = NO_PENALTY;
  for (let time = 0; time < times; time++) penalty = afterFailure(penalty, { nowMs, rules: RULES });
  return penalty;
}

Deno.test("penalty: nothing for the first failures, then twice as much each time, to the limit", () => {
  const delays = [0, 1, 2, 3, 4, 5, 6, 7, 100].map((failures) => delayAfter(failures, RULES));
  assertEquals(delays, [0, 0, 0, 100, 200, 400, 800, 800, 800]);
  const free = { ...RULES, maxDelayMs: Infinity };
  assertEquals(delayAfter(40, free), 100 * 2 ** 30, "not more than a number holds");
});

Deno.test("penalty: failures halve with each time that passes without one", () => {
  const penalty = failed(8, 1000);
  assertEquals(penalty, { failures: 8, lastFailureMs: 1000, nextAtMs: 1800 });
  const after = (ms: number) => afterFailure(penalty, { nowMs: 1000 + ms, rules: RULES }).failures;
  assertEquals([9_999, 10_000, 20_000, 30_000, 40_000, 1e12].map(after), [9, 5, 3, 2, 1, 1]);
});

Deno.test("penalty: who waits in line waits behind those before", () => {
  const penalty = failed(3);
  const options = { nowMs: 50, rules: RULES };
  const first = reserved(penalty, options);
  assertEquals([penalty, first, reserved(first, options)].map((one) => waitOf(one, 50)), [
    ...[50, 150, 250],
  ]);
  assertEquals(reserved(failed(2), options), failed(2), "no wait, no line");
  assertEquals(waitOf(penalty, 1000), 0);
  assertEquals(reserved(penalty, { nowMs: 1000, rules: RULES }).nextAtMs, 1100);
  const long = { ...failed(3), nextAtMs: 5000 };
  assertEquals(afterFailure(long, options).nextAtMs, 5000, "a failure shortens no wait");
});

Deno.test("throttle: the longest wait of address and user counts, and none above the longest", () => {
  const throttle = new Throttle(RULES);
  const attempt = { clientAddress: A, user: "alice" };
  for (let time = 0; time < 4; time++) throttle.failed(attempt, 0);
  throttle.failed({ clientAddress: A, user: "bob" }, 0);
  assertEquals(throttle.admit({ clientAddress: B, user: "alice" }, 0), {
    ...{ kind: "admitted", waitMs: 200 },
  });
  const again = new Throttle(RULES);
  for (let time = 0; time < 6; time++) again.failed(attempt, 0);
  assertEquals(again.admit(attempt, 0), { kind: "admitted", waitMs: 800 });
  assertEquals(again.admit(attempt, 0), { kind: "refused" });
  assertEquals(again.admit({ clientAddress: A, user: null }, 0), { kind: "refused" });
  assertEquals(again.admit({ clientAddress: B, user: "bob" }, 0), { kind: "admitted", waitMs: 0 });
});

Deno.test("throttle: an attempt without a user counts for the address alone", () => {
  const throttle = new Throttle(RULES);
  for (let time = 0; time < 3; time++) throttle.failed({ clientAddress: A, user: null }, 0);
  assertEquals(throttle.admit({ clientAddress: A, user: "x" }, 0), {
    kind: "admitted",
    waitMs: 100,
  });
  assertEquals(throttle.admit({ clientAddress: B, user: null }, 0), {
    kind: "admitted",
    waitMs: 0,
  });
  throttle.succeeded({ clientAddress: A, user: null });
  assertEquals(throttle.admit({ clientAddress: A, user: null }, 0), {
    ...{ kind: "admitted", waitMs: 200 },
  });
});

Deno.test("throttle: a pair that succeeded once has failures of its own, for good", () => {
  const throttle = new Throttle(RULES);
  const pair = { clientAddress: A, user: "alice" };
  throttle.succeeded(pair);
  for (let time = 0; time < 5; time++) throttle.failed({ clientAddress: B, user: "alice" }, 0);
  for (let time = 0; time < 5; time++) throttle.failed({ clientAddress: A, user: "bob" }, 0);
  assertEquals(throttle.admit(pair, 0), { kind: "admitted", waitMs: 0 });
  for (let time = 0; time < 3; time++) throttle.failed(pair, 0);
  assertEquals(throttle.admit(pair, 0), { kind: "admitted", waitMs: 100 });
  throttle.succeeded(pair);
  assertEquals(throttle.admit(pair, 0), { kind: "admitted", waitMs: 200 }, "not forgiven");
});

Deno.test("throttle: its own failures count for the others of its address and name", () => {
  const throttle = new Throttle(RULES);
  throttle.succeeded({ clientAddress: A, user: "alice" });
  for (let time = 0; time < 3; time++) throttle.failed({ clientAddress: A, user: "alice" }, 0);
  assertEquals(throttle.admit({ clientAddress: A, user: "bob" }, 0), {
    ...{ kind: "admitted", waitMs: 100 },
  });
  assertEquals(throttle.admit({ clientAddress: B, user: "alice" }, 0), {
    ...{ kind: "admitted", waitMs: 100 },
  });
});

Deno.test("throttle: new rules hold at once", () => {
  const throttle = new Throttle(RULES);
  const attempt = { clientAddress: A, user: "alice" };
  throttle.use({ ...RULES, freeFailures: 0 });
  throttle.failed(attempt, 0);
  assertEquals(throttle.admit(attempt, 0), { kind: "admitted", waitMs: 100 });
});

Deno.test("throttle: a client is its address, an IPv6 client its /64", () => {
  assertEquals(siteOf(A), A);
  assertEquals(siteOf("::ffff:192.0.2.1"), A);
  assertEquals(siteOf("2001:db8:0:1::5"), "20010db800000001");
  assertEquals(siteOf("2001:db8:0:1:ffff::"), "20010db800000001");
  assertEquals(siteOf("pipe"), "pipe");
});

Deno.test("throttle: the last 10,000 addresses are remembered", () => {
  const throttle = new Throttle({ ...RULES, freeFailures: 0 });
  const attempt = (n: number) => ({ clientAddress: `10.0.${n >> 8}.${n & 255}`, user: null });
  for (let n = 0; n < 10_000; n++) throttle.failed(attempt(n), 0);
  assertEquals(throttle.admit(attempt(1), 0), { kind: "admitted", waitMs: 100 });
  throttle.failed(attempt(10_000), 0);
  assertEquals(throttle.admit(attempt(0), 0), { kind: "admitted", waitMs: 0 });
  assertEquals(throttle.admit(attempt(2), 0), { kind: "admitted", waitMs: 100 });
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
