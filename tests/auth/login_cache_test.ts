import { assertEquals } from "@std/assert";
import { LoginCache } from "../../src/auth/login_cache.ts";
import { seededRandom } from "../../src/base/random.ts";
import { ManualClock } from "../support/manual_clock.ts";

const KEEP_MS = 1000;
const ALICE = { site: "192.0.2.1", user: "alice" };
const PROOF = { user: "alice", device: null };

function bench(keepMs = KEEP_MS) {
  const clock = new ManualClock();
  return { clock, cache: new LoginCache({ clock, random: seededRandom(1), keepMs }) };
}

function added(keepMs = KEEP_MS) {
  const on = bench(keepMs);
  on.cache.add(ALICE, { password: "right", proof: PROOF });
  return on;
}

Deno.test("login cache: a password is known at its site, for its user, for its time", async () => {
  const { cache, clock } = added();
  assertEquals(cache.find(ALICE, "right"), PROOF);
  assertEquals(cache.find({ ...ALICE, site: "192.0.2.2" }, "right"), null);
  assertEquals(cache.find({ ...ALICE, user: "bob" }, "right"), null);
  await clock.advance(KEEP_MS - 1);
  assertEquals(cache.find(ALICE, "right"), PROOF);
  await clock.advance(1);
  assertEquals(cache.find(ALICE, "right"), null);
});

Deno.test("login cache: right guesses cost nothing, the third wrong one forgets", () => {
  const { cache } = added();
  for (let time = 0; time < 10; time++) assertEquals(cache.find(ALICE, "right"), PROOF);
  for (const wrong of ["x", "y"]) assertEquals(cache.find(ALICE, wrong), null);
  assertEquals(cache.find(ALICE, "right"), PROOF);
  assertEquals(cache.find(ALICE, "z"), null);
  assertEquals(cache.find(ALICE, "right"), null);
});

Deno.test("login cache: a password whose time is over is no wrong guess", async () => {
  const { cache, clock } = added();
  await clock.advance(KEEP_MS);
  cache.add(ALICE, { password: "device", proof: { user: "alice", device: "phone" } });
  for (let time = 0; time < 5; time++) assertEquals(cache.find(ALICE, "right"), null);
  assertEquals(cache.find(ALICE, "device")?.device, "phone");
});

Deno.test("login cache: one more password leaves the wrong guesses counted", () => {
  const { cache } = added();
  cache.find(ALICE, "x");
  cache.find(ALICE, "y");
  cache.add(ALICE, { password: "device", proof: PROOF });
  cache.find(ALICE, "z");
  assertEquals(cache.find(ALICE, "right"), null);
  assertEquals(cache.find(ALICE, "device"), null);
});

Deno.test("login cache: eight passwords of one login are known, the latest", () => {
  const { cache } = bench();
  for (let n = 0; n <= 8; n++) cache.add(ALICE, { password: `p${n}`, proof: PROOF });
  assertEquals(cache.find(ALICE, "p1"), PROOF);
  assertEquals(cache.find(ALICE, "p8"), PROOF);
  assertEquals(cache.find(ALICE, "p0"), null);
});

Deno.test("login cache: 10,000 logins are known, the latest", () => {
  const { cache } = bench();
  const login = (n: number) => ({ site: "192.0.2.1", user: `u${n}` });
  for (let n = 0; n <= 10_000; n++) cache.add(login(n), { password: "p", proof: PROOF });
  assertEquals([0, 1, 10_000].map((n) => cache.find(login(n), "p") !== null), [false, true, true]);
});

Deno.test("login cache: a reset forgets all and gives a new time, which may be none", async () => {
  const { cache, clock } = added();
  cache.reset(2 * KEEP_MS);
  assertEquals(cache.find(ALICE, "right"), null);
  cache.add(ALICE, { password: "right", proof: PROOF });
  await clock.advance(KEEP_MS);
  assertEquals(cache.find(ALICE, "right"), PROOF);
  cache.reset(0);
  cache.add(ALICE, { password: "right", proof: PROOF });
  assertEquals(cache.find(ALICE, "right"), null);
});
