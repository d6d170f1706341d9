import { assertEquals } from "@std/assert";
import type { AuthFacts, AuthStep } from "../../src/auth/authenticator.ts";
import { settle } from "../support/manual_clock.ts";
import { type Bench, bench, CLIENT, makeUser, plainLogin, SETTINGS, told } from "./support.ts";

const alice = await makeUser({ name: "alice", password: "right" });
const bob = await makeUser({ name: "bob", password: "right" });
const users = [alice, bob];
const ELSEWHERE: AuthFacts = { ...CLIENT, clientAddress: "198.51.100.7" };

/** Guesses wrong, as often as `times` says, waiting as long as it takes. */
async function fail(on: Bench, times: number, user = "alice", facts = CLIENT): Promise<void> {
  for (let time = 0; time < times; time++) {
    await waitedFor(on, plainLogin(on, { user, password: `wrong ${time}`, facts }));
  }
}

/** Whether a promise is settled. */
function watch(promise: Promise<unknown>): { done: boolean } {
  const state = { done: false };
  promise.finally(() => state.done = true);
  return state;
}

/** How long the clock had to go on until the step came. */
async function waitedFor(on: Bench, step: Promise<AuthStep>): Promise<[number, string]> {
  const pending = watch(step);
  const startMs = on.clock.now();
  for (;;) {
    await settle();
    const atMs = on.clock.nextTimerAtMs;
    if (pending.done || atMs === null) break;
    await on.clock.advance(atMs - on.clock.now());
  }
  return [on.clock.now() - startMs, told(await step)];
}

Deno.test("the first failures cost nothing, then the wait doubles up to its limit", async () => {
  await using on = await bench({ users });
  const waits: number[] = [];
  for (let time = 0; time < 9; time++) {
    const [waitMs] = await waitedFor(on, plainLogin(on, { user: "alice", password: `${time}` }));
    waits.push(waitMs);
  }
  assertEquals(waits, [0, 0, 0, 0, 1000, 2000, 4000, 8000, 8000]);
  assertEquals(on.hashed.length, 9);
});

Deno.test("guesses side by side wait in line, and too many are refused unchecked", async () => {
  await using on = await bench({ users });
  await fail(on, 5);
  const hashedBefore = on.hashed.length;
  const guesses = [1, 2, 3, 4, 5, 6, 7].map((time) =>
    plainLogin(on, { user: "alice", password: `side ${time}` })
  );
  await settle();
  assertEquals(on.hashed.length, hashedBefore);
  // The passwords are hashed in real time, so the clock stands still for each.
  await on.clock.advance(2000);
  await guesses[0];
  await on.clock.advance(4000);
  await guesses[1];
  await on.clock.advance(2000);
  const steps = (await Promise.all(guesses)).map((step) => told(step).split(":")[0]);
  // The first waits 2 seconds, the next one 4 more; the third would have to wait for too long.
  assertEquals(steps, [...Array(2).fill("credentials"), ...Array(5).fill("throttled")]);
});

Deno.test("one address that tries many users is slowed", async () => {
  await using on = await bench({ users });
  for (let user = 0; user < 4; user++) await fail(on, 1, `nobody${user}`);
  const [waitMs] = await waitedFor(on, plainLogin(on, { user: "bob", password: "right" }));
  assertEquals(waitMs, 1000);
});

Deno.test("many addresses that try one user are slowed", async () => {
  await using on = await bench({ users });
  for (let host = 1; host <= 4; host++) {
    await fail(on, 1, "alice", { ...CLIENT, clientAddress: `203.0.113.${host}` });
  }
  const guess = plainLogin(on, { user: "alice", password: "right", facts: ELSEWHERE });
  assertEquals((await waitedFor(on, guess))[0], 1000);
});

Deno.test("an IPv6 client is its /64", async () => {
  await using on = await bench({ users });
  for (let host = 1; host <= 4; host++) {
    await fail(on, 1, `nobody${host}`, { ...CLIENT, clientAddress: `2001:db8:0:1::${host}` });
  }
  const facts = { ...CLIENT, clientAddress: "2001:db8:0:1:ffff::9" };
  const inside = plainLogin(on, { user: "bob", password: "right", facts });
  assertEquals((await waitedFor(on, inside))[0], 1000);
  const beside = { ...CLIENT, clientAddress: "2001:db8:0:2::1" };
  const outside = plainLogin(on, { user: "bob", password: "right", facts: beside });
  assertEquals((await waitedFor(on, outside))[0], 0);
});

Deno.test("who logged in before is not slowed by what others do", async () => {
  await using on = await bench({ users, auth: { ...SETTINGS, cacheMs: 0 } });
  await plainLogin(on, { user: "alice", password: "right" });
  await fail(on, 8, "alice", ELSEWHERE);
  await fail(on, 8, "nobody");
  const [waitMs, step] = await waitedFor(on, plainLogin(on, { user: "alice", password: "right" }));
  assertEquals([waitMs, step], [0, "success alice"]);
});

Deno.test("failures are forgotten with time", async () => {
  await using on = await bench({ users });
  await fail(on, 6);
  await on.clock.advance(900_000);
  const [waitMs] = await waitedFor(on, plainLogin(on, { user: "alice", password: "right" }));
  assertEquals(waitMs, 0);
});

Deno.test("a password that was right a moment ago is not hashed again", async () => {
  await using on = await bench({ users });
  for (let time = 0; time < 5; time++) {
    assertEquals(
      told(await plainLogin(on, { user: "alice", password: "right" })),
      "success alice",
    );
  }
  assertEquals(on.hashed, ["right"]);
  await plainLogin(on, { user: "alice", password: "right", facts: ELSEWHERE });
  assertEquals(on.hashed.length, 2);
  await on.clock.advance(SETTINGS.cacheMs);
  await plainLogin(on, { user: "alice", password: "right" });
  assertEquals(on.hashed.length, 3);
});

Deno.test("what is remembered serves three wrong guesses and no more", async () => {
  await using on = await bench({ users });
  await plainLogin(on, { user: "alice", password: "right" });
  await fail(on, 3);
  await waitedFor(on, plainLogin(on, { user: "alice", password: "right" }));
  assertEquals(on.hashed.filter((password) => password === "right").length, 2);
});

Deno.test("a change of users forgets the passwords remembered", async () => {
  await using on = await bench({ users });
  await plainLogin(on, { user: "alice", password: "right" });
  const changed = [{ ...alice, enabled: false }];
  await on.authenticator.reload({ auth: SETTINGS, users: changed }, { usersFile: null });
  assertEquals(
    told(await plainLogin(on, { user: "alice", password: "right" })),
    `credentials: user "alice" is disabled`,
  );
});

Deno.test("a hash that ends after a change of users is not remembered", async () => {
  const started = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  const { hashPassword } = await import("../../src/auth/password_hash.ts");
  let calls = 0;
  await using on = await bench({ users }, {
    async hasher(password, recipe) {
      calls++;
      started.resolve();
      await go.promise;
      return await hashPassword(password, recipe);
    },
  });
  const login = plainLogin(on, { user: "alice", password: "right" });
  await started.promise;
  await on.authenticator.reload({ auth: SETTINGS, users }, { usersFile: null });
  go.resolve();
  await login;
  await plainLogin(on, { user: "alice", password: "right" });
  assertEquals(calls, 2);
});

Deno.test("waiting ends when the relay stops", async () => {
  const on = await bench({ users });
  await fail(on, 6);
  const waiting = plainLogin(on, { user: "alice", password: "right" });
  await settle();
  await on[Symbol.asyncDispose]();
  assertEquals(told(await waiting), "unavailable: the relay is stopping");
  assertEquals(
    told(await plainLogin(on, { user: "alice", password: "right" })),
    "unavailable: the relay is stopping",
  );
});

Deno.test("a flood is hashed a few at a time, and what is too much fails at once", async () => {
  let running = 0;
  let most = 0;
  const go = Promise.withResolvers<void>();
  await using on = await bench({ users, auth: { ...SETTINGS, maxHashing: 2 } }, {
    async hasher() {
      most = Math.max(most, ++running);
      await go.promise;
      running--;
      return new Uint8Array(32);
    },
  });
  const flood = Array.from(
    { length: 90 },
    (_, time) => {
      const facts = { ...CLIENT, clientAddress: `10.0.${time}.1` };
      return plainLogin(on, { user: `nobody${time}`, password: "x", facts });
    },
  );
  await settle();
  go.resolve();
  const steps = (await Promise.all(flood)).map(told);
  assertEquals(steps.filter((step) => step.startsWith("unavailable")).length, 90 - 2 - 64);
  assertEquals([most, running], [2, 0]);
});
