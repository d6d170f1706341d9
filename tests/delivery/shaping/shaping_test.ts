import { assert, assertEquals } from "@std/assert";
import type { RouteRule } from "../../../src/delivery/route.ts";
import type { ShapingRule } from "../../../src/delivery/shaping/rules.ts";
import { Shaper } from "../../../src/delivery/shaping/shaper.ts";
import type { Outcome } from "../../../src/delivery/transport.ts";
import { reply } from "../../../src/mail/reply.ts";
import { ManualClock } from "../../support/manual_clock.ts";
import { DELIVERED, FakeTransport, setUp, stateOf } from "../scheduler_setup.ts";

const MX_OF: Readonly<Record<string, string[]>> = {
  "a.example": ["mx1.big.example"],
  "b.example": ["MX2.big.example."],
  "c.example": ["mx.small.example"],
};

function shaperOf(clock: ManualClock, rules: readonly Partial<ShapingRule>[]): Shaper {
  const full = rules.map((rule, index) => ({
    ...{ name: `rule${index}`, match: {}, shared: true },
    ...rule,
    limits: { rates: [], ...rule.limits },
  }));
  const resolver = {
    mx: (domain: string) => {
      const records = (MX_OF[domain] ?? []).map((exchange) => ({ preference: 10, exchange }));
      const found = { kind: "found" as const, ttlMs: 0, authentic: false, canonicalName: domain };
      return Promise.resolve({ ...found, records });
    },
  };
  return new Shaper(full, { clock, resolver });
}

/** A scheduler with rules and a transport that notes when each attempt began. */
function shaped(
  rules: readonly Partial<ShapingRule>[],
  { kind = "fake", answer = () => DELIVERED, others = [], routes }: {
    kind?: string;
    routes?: readonly RouteRule[];
    answer?: () => Outcome | Promise<Outcome>;
    others?: FakeTransport[];
  } = {},
) {
  const clock = new ManualClock();
  const began: { domain: string; atMs: number }[] = [];
  const out = new FakeTransport({
    kind,
    answer: ({ domain }) => {
      began.push({ domain, atMs: clock.now() });
      return answer();
    },
  });
  const bench = setUp({
    clock,
    transports: [out, ...others],
    shaper: shaperOf(clock, rules),
    ...(routes === undefined ? {} : { rules: routes }),
    window: 1000,
    perDomain: 500,
  });
  return { ...bench, out, began };
}

Deno.test("messages to a destination keep to its rate, uncounted, and others do not wait", async () => {
  const { clock, store, scheduler, began, put } = shaped([
    { match: { domain: ["a.example"] }, limits: { rates: [{ count: 60, perMs: 60_000 }] } },
  ]);
  const startMs = clock.now();
  const slow = [];
  for (let count = 0; count < 200; count++) slow.push(await put("a.example"));
  for (let count = 0; count < 50; count++) await put("c.example");
  scheduler.start();
  await clock.advance(0);
  assertEquals(began.filter(({ domain }) => domain === "c.example").length, 50);
  assert(scheduler.activeRecipients <= 10, `${scheduler.activeRecipients} in the window`);
  await clock.advance(199_000);
  const times = began.filter(({ domain }) => domain === "a.example").map(({ atMs }) => atMs);
  assertEquals(times.length, 200);
  assertEquals(times.at(-1), startMs + 199_000);
  times.forEach((atMs, index) => {
    assert((times[index + 60] ?? Infinity) - atMs >= 60_000);
  });
  for (const id of slow) {
    const [recipient] = (await store.get(id))?.recipients ?? [];
    assertEquals([recipient?.state, recipient?.attempts], ["delivered", 1]);
  }
  await scheduler.stop({ limitMs: 0 });
});

Deno.test("mail that waits for a limit makes no noise", async () => {
  const { clock, scheduler, events, put } = shaped([
    { limits: { rates: [{ count: 1, perMs: 60_000 }] } },
  ]);
  for (let count = 0; count < 10; count++) await put("a.example");
  scheduler.start();
  await clock.advance(1_000);
  assertEquals(events.map(({ type }) => type), ["delivered"]);
  await scheduler.stop({ limitMs: 0 });
});

Deno.test("domains whose exchangers belong together share a limit", async () => {
  const { clock, scheduler, out, put } = shaped([
    { match: { mx: ["*.big.example"] }, limits: { rates: [], concurrency: 2 } },
  ], { kind: "mx", answer: () => new Promise(() => {}) });
  for (let count = 0; count < 5; count++) {
    for (const domain of Object.keys(MX_OF)) await put(domain);
  }
  scheduler.start();
  await clock.advance(0);
  const running = out.jobs.map(({ domain }) => domain);
  assertEquals(running.filter((domain) => domain !== "c.example").length, 2);
  assertEquals(running.filter((domain) => domain === "c.example").length, 5);
});

Deno.test("a shared limit of attempts at once passes from destination to destination", async () => {
  const waiting: (() => void)[] = [];
  const answer = () => new Promise<Outcome>((resolve) => waiting.push(() => resolve(DELIVERED)));
  const { clock, scheduler, out, put } = shaped([{ limits: { rates: [], concurrency: 1 } }], {
    answer,
  });
  for (const domain of ["a.example", "b.example", "c.example"]) await put(domain);
  scheduler.start();
  for (let count = 1; count <= 3; count++) {
    await clock.advance(0);
    assertEquals(out.jobs.length, count);
    waiting.shift()?.();
  }
  await clock.advance(0);
  await scheduler.stop({ limitMs: 0 });
});

Deno.test("a limit for a route leaves the mail of other routes alone", async () => {
  const { clock, scheduler, began, put } = shaped([
    { match: { route: ["route0"] }, limits: { rates: [{ count: 1, perMs: 3_600_000 }] } },
    { match: { route: ["other"] }, limits: { rates: [{ count: 1, perMs: 1_000 }] } },
  ]);
  for (let count = 0; count < 3; count++) await put("a.example");
  scheduler.start();
  await clock.advance(10_000);
  assertEquals(began.length, 1);
  await scheduler.stop({ limitMs: 0 });
});

Deno.test("mail above a long limit takes the next transport of its route", async () => {
  const other = new FakeTransport({ name: "other" });
  const { clock, scheduler, began, put } = shaped([
    {
      match: { transport: ["out"] },
      limits: { rates: [], warmUp: { startMs: Date.UTC(2026, 0, 1), perDay: [24] } },
    },
  ], { others: [other] });
  for (let count = 0; count < 5; count++) await put("a.example");
  scheduler.start();
  await clock.advance(0);
  assertEquals([began.length, other.jobs.length], [2, 3]);
  await scheduler.stop({ limitMs: 0 });
});

Deno.test("a limit of recipients splits a message", async () => {
  const { clock, store, scheduler, out, put } = shaped([{ limits: { rates: [], recipients: 2 } }]);
  const id = await put("a.example", { recipients: 5 });
  scheduler.start();
  await clock.advance(0);
  assertEquals(out.jobs.map(({ recipients }) => recipients.length), [2, 2, 1]);
  assertEquals(await stateOf(store, id), Array(5).fill("delivered").join(","));
  await scheduler.stop({ limitMs: 0 });
});

Deno.test("each destination has its own limit where it is not shared", async () => {
  const { clock, scheduler, began, put } = shaped([
    { shared: false, limits: { rates: [{ count: 1, perMs: 60_000 }] } },
  ]);
  for (const domain of ["a.example", "b.example", "a.example"]) await put(domain);
  scheduler.start();
  await clock.advance(0);
  assertEquals(began.map(({ domain }) => domain), ["a.example", "b.example"]);
  await clock.advance(60_000);
  assertEquals(began.length, 3);
  await scheduler.stop({ limitMs: 0 });
});

Deno.test("a throttling answer teaches a pace, which is shown and fades", async () => {
  const limited: Outcome = {
    kind: "temporary",
    reply: reply(421, "4.7.0", "Too fast"),
    counts: false,
    retryAfterMs: 5_000,
  };
  const answers = [limited];
  const { clock, scheduler, out, began, put } = shaped([], {
    answer: () => answers.shift() ?? DELIVERED,
  });
  for (let count = 0; count < 20; count++) await put("a.example");
  scheduler.start();
  await clock.advance(0);
  const first = began.length;
  const learned = () => scheduler.destinationOf(out, "a.example")?.gate?.view(clock.now()).learned;
  assertEquals(learned()?.reason, "421 4.7.0 Too fast");
  await clock.advance(10_000);
  const later = began.length - first;
  assert(later > 0 && later < 20, `${later}`);
  await clock.advance(600_000);
  assertEquals(began.length, 21);
  assertEquals(learned() ?? null, null);
  await scheduler.stop({ limitMs: 0 });
});

Deno.test("what routes differ in does not double a destination's own limit", async () => {
  const { clock, scheduler, began, put } = shaped([
    { shared: false, limits: { rates: [{ count: 1, perMs: 60_000 }] } },
    { match: { route: ["bulk"] }, limits: { rates: [], concurrency: 1 } },
  ], {
    routes: [
      { name: "bulk", match: { recipient: ["r1@*"] }, transports: ["out"] },
      { name: "other", match: {}, transports: ["out"] },
    ],
  });
  await put("a.example", { recipients: 2 });
  scheduler.start();
  await clock.advance(30_000);
  assertEquals(began.length, 1);
  await clock.advance(60_000);
  assertEquals(began.length, 2);
  await scheduler.stop({ limitMs: 0 });
});

Deno.test("what one domain of a provider teaches holds for all of them, and for nobody else", async () => {
  const limited: Outcome = {
    ...{ kind: "temporary", reply: reply(421, "4.7.28", "Too fast"), counts: false },
    slowsDown: true,
  };
  const answers = [limited];
  const { clock, scheduler, out, began, put } = shaped([
    { match: { mx: ["*.big.example"] }, limits: { rates: [], concurrency: 50 } },
  ], { kind: "mx", answer: () => answers.shift() ?? DELIVERED });
  await put("a.example");
  scheduler.start();
  await clock.advance(0);
  const learned = (domain: string) =>
    scheduler.destinationOf(out, domain)?.gate?.view(clock.now()).learned ?? null;
  for (let count = 0; count < 20; count++) {
    for (const domain of ["b.example", "c.example"]) await put(domain);
  }
  scheduler.wake();
  await clock.advance(500);
  const counted = (domain: string) => began.filter((one) => one.domain === domain).length;
  assertEquals([counted("b.example"), counted("c.example")], [0, 20]);
  assertEquals([learned("b.example")?.reason, learned("c.example")], ["421 4.7.28 Too fast", null]);
  await clock.advance(3_600_000);
  assertEquals(counted("b.example"), 20);
  await scheduler.stop({ limitMs: 0 });
});
