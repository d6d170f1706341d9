import { assertEquals } from "@std/assert";
import { seededRandom } from "../../src/base/random.ts";
import type { Outcome } from "../../src/delivery/transport.ts";
import { createRouter } from "../../src/delivery/router.ts";
import { reply } from "../../src/mail/reply.ts";
import {
  type Bench,
  DELIVERED,
  FakeTransport,
  setUp,
  stateOf,
  UNREACHABLE,
} from "./scheduler_setup.ts";

const LIMITED: Outcome = {
  kind: "temporary",
  reply: reply(451, "4.4.5", "Too many requests"),
  counts: false,
  retryAfterMs: 5_000,
};
const SUSPENDED = { ...UNREACHABLE, scope: "transport" } as Outcome;
const TOO_LARGE: Outcome = { kind: "unsuitable", reply: reply(552, "5.3.4", "Too large") };

/** A transport whose attempts wait until `answer` is called. */
class SlowTransport extends FakeTransport {
  readonly #answers: ((outcome: Outcome) => void)[];

  constructor(name: string) {
    const answers: ((outcome: Outcome) => void)[] = [];
    super({ name, answer: () => new Promise((resolve) => answers.push(resolve)) });
    this.#answers = answers;
  }

  answer(outcome: Outcome): void {
    for (const answer of this.#answers.splice(0)) answer(outcome);
  }
}

/** Uses one route over `transports` from now on. */
function reroute({ scheduler }: Bench, ...transports: FakeTransport[]): void {
  const names = transports.map(({ name }) => name);
  scheduler.replaceRouter(createRouter([{ name: "new", match: {}, transports: names }], {
    transports: new Map(transports.map((transport) => [transport.name, transport])),
    random: seededRandom(1),
  }));
}

for (
  const [what, outcome] of [
    ["a destination that cannot be reached", UNREACHABLE],
    ["a transport that does not work", SUSPENDED],
    ["a limit", LIMITED],
    ["a message that does not suit it", TOO_LARGE],
  ] as const
) {
  Deno.test(`an attempt that ends with ${what} after a reload goes on by the new routes`, async () => {
    const [old, gone] = [new SlowTransport("old"), new FakeTransport({ name: "gone" })];
    const added = new FakeTransport({ name: "added" });
    const bench = setUp({ transports: [old, gone] });
    const id = await bench.put("a.example", { recipients: 3 });
    bench.scheduler.start();
    await bench.clock.advance(0);
    reroute(bench, added);
    old.answer(outcome);
    await bench.clock.advance(0);
    assertEquals(bench.scheduler.audit(), []);
    assertEquals(await stateOf(bench.store, id), "delivered,delivered,delivered");
    assertEquals([gone.jobs.length, added.jobs.length], [0, 1]);
    await bench.scheduler.stop({ limitMs: 0 });
  });

  Deno.test(`the last transport's ${what} is not final when a reload added one`, async () => {
    const [old, added] = [new SlowTransport("old"), new FakeTransport({ name: "added" })];
    const bench = setUp({ transports: [old] });
    const id = await bench.put("a.example");
    bench.scheduler.start();
    await bench.clock.advance(0);
    reroute(bench, added, old);
    old.answer(outcome);
    await bench.clock.advance(0);
    assertEquals(await stateOf(bench.store, id), "delivered");
    await bench.scheduler.stop({ limitMs: 0 });
  });
}

Deno.test("what waits in line at a reload leaves by the routes in force", async () => {
  const [first, second] = [new SlowTransport("first"), new FakeTransport({ name: "second" })];
  const bench = setUp({ transports: [first, second] });
  for (let count = 0; count < 10; count++) await bench.put("a.example");
  bench.scheduler.start();
  await bench.clock.advance(0);
  assertEquals(first.jobs.length, 5);
  reroute(bench, second, first); // both are kept, in another order
  await bench.clock.advance(0);
  assertEquals([first.jobs.length, second.jobs.length], [5, 5]);
  first.answer(DELIVERED);
  await bench.clock.advance(0);
  assertEquals((await bench.store.stats()).recipients.delivered, 10);
  await bench.scheduler.stop({ limitMs: 0 });
});

Deno.test("nothing stays claimed when operators act after a reload", async () => {
  const [old, kept] = [new SlowTransport("old"), new FakeTransport({ name: "kept" })];
  const bench = setUp({ transports: [old, kept] });
  const id = await bench.put("a.example");
  bench.scheduler.start();
  await bench.clock.advance(0);
  reroute(bench, kept);
  bench.scheduler.lookAgain();
  bench.scheduler.reclaim();
  old.answer(LIMITED);
  bench.scheduler.lookAgain();
  await bench.clock.advance(0);
  assertEquals(bench.scheduler.audit(), []);
  assertEquals(await stateOf(bench.store, id), "delivered");
  assertEquals(bench.scheduler.activeRecipients, 0);
  await bench.scheduler.stop({ limitMs: 0 });
});

Deno.test("a look-up that ends after a reload goes on by the new routes", async () => {
  const found = Promise.withResolvers<null>();
  const [old, added] = [new FakeTransport({ name: "old" }), new FakeTransport({ name: "added" })];
  const suppressions = { mayHave: () => true, find: () => found.promise };
  const bench = setUp({ transports: [old], suppressions });
  await bench.put("a.example");
  bench.scheduler.start();
  await bench.clock.advance(0);
  assertEquals(bench.scheduler.audit(), []);
  reroute(bench, added);
  found.resolve(null);
  await bench.clock.advance(0);
  assertEquals([old.jobs.length, added.jobs.length], [0, 1]);
  await bench.scheduler.stop({ limitMs: 0 });
});
