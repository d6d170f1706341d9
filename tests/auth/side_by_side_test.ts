/** Guesses that come at once get no further than guesses that come in a row. */
import { assert, assertEquals } from "@std/assert";
import type { AuthFacts, AuthStep } from "../../src/auth/authenticator.ts";
import { settle } from "../support/manual_clock.ts";
import {
  base64,
  type Bench,
  bench,
  CLIENT,
  exchangeOf,
  makeUser,
  plainLogin,
  SETTINGS,
  told,
} from "./support.ts";

const alice = await makeUser({ name: "alice", password: "right" });
const bob = await makeUser({ name: "bob", password: "right" });
const users = [alice, bob];

function from(clientAddress: string): AuthFacts {
  return { ...CLIENT, clientAddress };
}

/** Lets the clock run until all steps are there; those that were refused unchecked. */
async function refusedOf(on: Bench, steps: readonly Promise<AuthStep>[]): Promise<number> {
  let isOver = false;
  const all = Promise.all(steps).finally(() => isOver = true);
  for (let turn = 0; turn < 10_000 && !isOver; turn++) {
    await settle();
    if (!isOver) await on.clock.advance(1000);
  }
  return (await all).filter((step) => told(step).startsWith("throttled")).length;
}

Deno.test("a hundred guesses of one address at once: four are looked at", async () => {
  await using on = await bench({ users });
  const guesses = Array.from(
    { length: 100 },
    (_, number) => plainLogin(on, { user: "alice", password: `guess ${number}` }),
  );
  await settle();
  assert(on.hashed.length <= 4);
  // At once those that are free, then one each second, two, four.
  assert(await refusedOf(on, guesses) >= 90);
  assert(on.hashed.length <= 8, `${on.hashed.length}`);
});

Deno.test("six hundred guesses of six addresses of a network: the network is slowed", async () => {
  await using on = await bench({ users });
  const guesses = Array.from({ length: 600 }, (_, number) =>
    plainLogin(on, {
      user: `user${number}`,
      password: "guess",
      facts: from(`192.0.2.${number % 6}`),
    }));
  assert(await refusedOf(on, guesses) >= 570);
  assert(on.hashed.length <= 24, `${on.hashed.length}`);
});

const GUESSES: Readonly<Record<string, (on: Bench, number: number) => Promise<AuthStep>>> = {
  "LOGIN": async (on, number) => {
    const exchange = exchangeOf(on, "LOGIN");
    await exchange.begin(base64("alice"));
    return await exchange.respond(base64(`guess ${number}`));
  },
  "SCRAM-SHA-256": async (on, number) => {
    const exchange = exchangeOf(on, "SCRAM-SHA-256");
    const first = await exchange.begin(base64(`n,,n=alice,r=nonce${number}`));
    if (first.kind !== "challenge") return first;
    const nonce = /r=([^,]*)/.exec(atob(first.text))?.[1];
    const proof = btoa("x".repeat(32));
    return await exchange.respond(base64(`c=biws,r=${nonce},p=${proof}`));
  },
  "SCRAM-SHA-256 left open": async (on, number) =>
    await exchangeOf(on, "SCRAM-SHA-256").begin(base64(`n,,n=alice,r=nonce${number}`)),
  "SCRAM-SHA-256 cancelled": async (on, number) => {
    const exchange = exchangeOf(on, "SCRAM-SHA-256");
    const first = await exchange.begin(base64(`n,,n=alice,r=nonce${number}`));
    if (first.kind === "challenge") await exchange.respond("*");
    return first;
  },
};

for (const [name, guess] of Object.entries(GUESSES)) {
  Deno.test(`a hundred guesses at once by ${name}: most are refused unchecked`, async () => {
    await using on = await bench({ users });
    const guesses = Array.from({ length: 100 }, (_, number) => guess(on, number));
    assert(await refusedOf(on, guesses) >= 88);
  });
}

Deno.test("sixty clients that know the password log in at once", async () => {
  await using on = await bench({ users, auth: { ...SETTINGS, cacheMs: 0 } });
  const logins = Array.from(
    { length: 60 },
    () => plainLogin(on, { user: "alice", password: "right" }),
  );
  const steps = await Promise.all(logins);
  assertEquals(steps.map(told), Array(60).fill("success alice"));
});

Deno.test("who guesses from elsewhere slows a user at a new place, and does not shut it out", async () => {
  await using on = await bench({ users });
  const guess = (number: number): Promise<AuthStep> => {
    const facts = from(`10.${number % 250}.${number % 199}.1`);
    return plainLogin(on, { user: "alice", password: `guess ${number}`, facts });
  };
  const guesses: Promise<AuthStep>[] = Array.from({ length: 30 }, (_, number) => guess(number));
  await on.clock.advance(8000);
  const login = plainLogin(on, {
    user: "alice",
    password: "right",
    facts: from("198.51.100.7"),
  });
  for (let number = 100; number < 140; number++) {
    guesses.push(guess(number));
    await on.clock.advance(250);
  }
  assertEquals(told(await login), "success alice");
  await refusedOf(on, guesses);
});

Deno.test("a flood of other names pushes no penalty out", async () => {
  let hashed = 0;
  await using on = await bench({ users }, {
    hasher() {
      hashed++;
      return Promise.resolve(new Uint8Array(32));
    },
  });
  const guess = () => plainLogin(on, { user: "alice", password: "guess" });
  for (let time = 0; time < 6; time++) {
    const step = guess();
    await settle();
    await on.clock.advance((on.clock.nextTimerAtMs ?? on.clock.now()) - on.clock.now());
    await step;
  }
  assertEquals(hashed, 6);
  for (let number = 0; number < 6_000; number++) {
    const facts = from(`2001:db8:${number.toString(16)}::1`);
    await exchangeOf(on, "SCRAM-SHA-256", facts).begin(base64(`n,,n=x${number},r=nonce`));
  }
  const next = guess();
  await settle();
  assertEquals(hashed, 6);
  await refusedOf(on, [next]);
});
