/** What is known of destinations: how it grows, shrinks, and is forgotten. */
import { assertEquals, assertNotEquals } from "@std/assert";
import { Allowance } from "../../src/delivery/allowance.ts";
import type { Destination } from "../../src/delivery/destination.ts";
import { DestinationTable } from "../../src/delivery/destination_table.ts";
import { Learner } from "../../src/delivery/learner.ts";
import { OperatorPauses, PutOffDomains } from "../../src/delivery/pauses.ts";
import { Gate } from "../../src/delivery/shaping/gate.ts";
import { Limiter } from "../../src/delivery/shaping/limiter.ts";
import type { DeliveryReport, Outcome, Transport } from "../../src/delivery/transport.ts";
import { reply } from "../../src/mail/reply.ts";
import type { RelayEvent } from "../../src/observe/events.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { DELIVERED, FakeTransport, GREYLISTED, UNREACHABLE } from "./scheduler_setup.ts";

const LIMITS = { initialConcurrency: 4, downMs: 15_000, maxDownMs: 60_000 };
const SUSPENDED = { ...UNREACHABLE, scope: "transport" } as Outcome;
const LIMITED: Outcome = {
  ...{ kind: "temporary", reply: reply(451, "4.4.5", "Slow down"), counts: false },
};
const REMOTE = { host: "mx", address: "192.0.2.1", port: 25 };
const MINUTE_MS = 60_000;

function setUp({ transport = new FakeTransport({ maxConcurrency: 6 }) as Transport } = {}) {
  const clock = new ManualClock(1_000_000);
  const operator = new OperatorPauses();
  const table = new DestinationTable<string>({ limits: LIMITS, operator });
  const events: RelayEvent[] = [];
  const calls: string[] = [];
  const abort = new AbortController();
  let ways: readonly (readonly Transport[])[] = [[transport]];
  const learner = new Learner<string>({
    ...{ clock, table, signal: abort.signal },
    emit: (event) => events.push(event),
    ways: () => ways,
    onDown: (retryAtMs, scope) => calls.push(`down ${scope} ${retryAtMs - clock.now()}`),
    onUp: () => calls.push("up"),
  });
  const of = (domain = "a.example"): Destination<string> => table.of(transport, domain);
  /** Makes an attempt, or ends one that began before. */
  const attempt = (
    outcome: Outcome | readonly Outcome[],
    { at = of(), ticket = at.begin(clock.now()), rate, remote = REMOTE }: {
      at?: Destination<string>;
      ticket?: ReturnType<Destination<string>["begin"]>;
      rate?: DeliveryReport["rate"];
      remote?: DeliveryReport["remote"];
    } = {},
  ): void => {
    const outcomes = "kind" in outcome ? [outcome] : outcome;
    const report = { outcomes, remote, tls: null, ...(rate === undefined ? {} : { rate }) };
    at.end(ticket);
    learner.learn(at, { report, ticket });
  };
  return {
    ...{ clock, operator, table, transport, events, calls, abort, of, attempt },
    setWays: (other: typeof ways) => void (ways = other),
  };
}

Deno.test("concurrency grows by one with each run of successes as long as itself, up to the ceiling", () => {
  const { of, attempt } = setUp();
  const grown: number[] = [];
  for (let count = 0; count < 20; count++) {
    attempt(DELIVERED);
    grown.push(of().concurrency);
  }
  assertEquals(grown, [4, 4, 4, 5, 5, 5, 5, 5, ...new Array(12).fill(6)]);
});

Deno.test("concurrency is halved by trouble, down to one, and the run begins anew", () => {
  const { of, attempt } = setUp();
  const closing: Outcome = { kind: "temporary", reply: reply(421, "4.3.2", "Bye") };
  const uncertain: Outcome = { kind: "uncertain", reply: reply(451, "4.4.2", "Lost") };
  for (let count = 0; count < 3; count++) attempt(DELIVERED);
  const halved: number[] = [];
  for (const outcome of [closing, uncertain, closing]) {
    attempt(outcome);
    halved.push(of().concurrency);
  }
  assertEquals(halved, [2, 1, 1]);
  attempt([GREYLISTED, DELIVERED]);
  assertEquals(of().concurrency, 2, "one that has to wait is an answer like any other");
  attempt(DELIVERED, { remote: null });
  attempt(DELIVERED);
  assertEquals(of().concurrency, 2, "nobody was reached, so nothing is known");
});

Deno.test("what one of many recipients meets is what the destination taught", () => {
  const closing: Outcome = { kind: "temporary", reply: reply(421, "4.3.2", "Bye") };
  const pausing = { ...GREYLISTED, pausesMs: 90_000 } as Outcome;
  for (const outcome of [closing, LIMITED, UNREACHABLE, pausing]) {
    const seen = [[outcome], [DELIVERED, outcome], [GREYLISTED, DELIVERED, outcome]].map((all) => {
      const { clock, of, attempt } = setUp();
      attempt(all);
      return [of().concurrency, of().state(clock.now()), of().restUntilMs(clock.now())];
    });
    assertEquals(seen, [seen[0], seen[0], seen[0]]);
    assertNotEquals(seen[0], [4, { kind: "up" }, 0]);
  }
});

Deno.test("what is down begins with what it began with when it is up again", () => {
  const { clock, of, attempt, events, calls } = setUp();
  for (let count = 0; count < 8; count++) attempt(DELIVERED);
  assertEquals(of().concurrency, 5);
  attempt(UNREACHABLE);
  assertEquals(of().state(clock.now()).kind, "down");
  attempt(DELIVERED);
  assertEquals([of().state(clock.now()).kind, of().concurrency], ["up", 4]);
  for (let count = 0; count < 3; count++) attempt(DELIVERED);
  assertEquals(of().concurrency, 4);
  assertEquals(calls, ["down destination 15000", "up"]);
  const about = { transport: "out", destination: "a.example" };
  const retryAtMs = clock.now() + 15_000;
  assertEquals(events, [
    { type: "destination_down", ...about, reason: "Connection refused", retryAtMs },
    { type: "destination_up", ...about, reason: "" },
  ]);
});

Deno.test("of failures together the first counts, and a transport's is told as that of all", () => {
  const { clock, of, attempt, events, calls, table, transport } = setUp();
  const tickets = [1, 2].map(() => of().begin(clock.now()));
  for (const ticket of tickets) attempt(SUSPENDED, { ticket });
  assertEquals(calls, ["down transport 15000"]);
  assertEquals(events.map((event) => "destination" in event ? event.destination : ""), ["*"]);
  assertEquals([of().circuit.isUp, table.transportState(transport, clock.now()).kind], [
    true,
    "down",
  ]);
  assertEquals(of("b.example").state(clock.now()).kind, "down", "another domain, same transport");
  attempt({ ...SUSPENDED, retryAfterMs: 7_200_000 } as Outcome);
  assertEquals(calls[1], "down transport 7200000");
});

Deno.test("one domain that cannot be reached closes nothing for others", () => {
  const { clock, of, attempt, table } = setUp();
  attempt(UNREACHABLE);
  assertEquals(of("b.example").state(clock.now()).kind, "up");
  assertEquals(table.gateUntilMs(clock.now()), 0);
});

Deno.test("nothing is learnt from attempts that this side gave up", () => {
  const { of, attempt, abort, calls } = setUp();
  abort.abort();
  attempt(UNREACHABLE);
  assertEquals([of().circuit.isUp, calls], [true, []]);
});

Deno.test("five refusals in a row without a word on when to come again are a failure", () => {
  const { clock, of, attempt, calls } = setUp();
  for (let count = 0; count < 4; count++) attempt(LIMITED);
  attempt(DELIVERED);
  for (let count = 0; count < 4; count++) attempt(LIMITED);
  assertEquals([calls, of().circuit.isUp], [[], true]);
  assertEquals(of().shortRestUntilMs(clock.now()), clock.now() + 1_000);
  assertEquals(of().lastLimit, { text: "Slow down", atMs: clock.now() });
  attempt(LIMITED);
  assertEquals([calls, of().circuit.isUp], [["down destination 15000"], false]);
});

Deno.test("a refusal that says when to come again is a limit, and teaches a pace", () => {
  const { clock, of, attempt, calls } = setUp();
  for (let count = 0; count < 9; count++) attempt({ ...LIMITED, retryAfterMs: 9_000 } as Outcome);
  assertEquals([calls, of().circuit.isUp], [[], true]);
  assertEquals(of().allowance.restUntilMs(clock.now()), clock.now() + 9_000);
  assertEquals(of().gate?.view(clock.now()).learned?.reason, "451 4.4.5 Slow down");
  const other = of("b.example");
  attempt({ ...LIMITED, slowsDown: true } as Outcome, { at: other });
  assertEquals(other.allowance.restUntilMs(clock.now()), clock.now() + 1_000);
  assertEquals(other.gate === null, false);
});

Deno.test("a limit that is far off is no rest in line, but one that is near", () => {
  const { clock, of, attempt } = setUp();
  assertEquals(of().shortRestUntilMs(clock.now()), null, "no limit is reached");
  attempt({ ...LIMITED, retryAfterMs: MINUTE_MS } as Outcome);
  assertEquals(of().shortRestUntilMs(clock.now()), clock.now() + MINUTE_MS);
  assertEquals(of().standing(clock.now()), { kind: "resting", untilMs: clock.now() + MINUTE_MS });
  assertEquals(of().shortRestUntilMs(clock.now() + MINUTE_MS), null, "it is over");
  const far = of("far.example");
  attempt({ ...LIMITED, retryAfterMs: MINUTE_MS + 1 } as Outcome, { at: far });
  assertEquals(far.shortRestUntilMs(clock.now()), null);
  const state = {
    kind: "down",
    untilMs: clock.now() + MINUTE_MS + 1,
    reason: "Slow down",
  } as const;
  assertEquals([far.state(clock.now()), far.standing(clock.now())], [state, state]);
  const told = of("told.example");
  attempt(DELIVERED, { at: told, rate: { remaining: 0, resetAfterMs: 2 * MINUTE_MS } });
  assertEquals(told.state(clock.now()), {
    ...{ kind: "down", untilMs: clock.now() + 2 * MINUTE_MS, reason: "Rate limit reached" },
  });
});

Deno.test("a destination that wants nothing for a while is left alone for that long", () => {
  const { clock, of, attempt, calls } = setUp();
  attempt([DELIVERED, { ...LIMITED, pausesMs: 3_600_000 } as Outcome]);
  assertEquals(calls, ["down destination 3600000"]);
  assertEquals(of().state(clock.now() + 3_599_999).kind, "down");
  assertEquals(of().state(clock.now() + 3_600_000).kind, "probing");
});

Deno.test("recipients that are to blame for the others tell nothing of the destination", () => {
  const { of, attempt } = setUp();
  const bad: Outcome = { kind: "permanent", reply: reply(550, "5.1.1", "No") };
  for (let count = 0; count < 9; count++) attempt([bad, LIMITED]);
  assertEquals([of().circuit.isUp, of().allowance.isSpent(0)], [true, false]);
});

Deno.test("what the next attempt waits for: nothing, its own, another, a time", () => {
  const { clock, of, attempt } = setUp();
  const nowMs = clock.now();
  const one = of();
  assertEquals(one.standing(nowMs).kind, "ready");
  const tickets = [1, 2, 3, 4].map(() => one.begin(nowMs));
  assertEquals([one.standing(nowMs).kind, one.running], ["busy", 4]);
  one.end(tickets[0] as typeof tickets[0] & object);
  assertEquals([one.standing(nowMs).kind, one.running], ["ready", 3]);
  attempt(UNREACHABLE);
  assertEquals(one.standing(nowMs + 15_000).kind, "busy", "one attempt finds out, not four");
  for (const ticket of tickets.slice(1)) one.end(ticket);
  assertEquals(one.standing(nowMs + 15_000).kind, "ready");
  const limited = of("b.example");
  limited.shape(new Gate([new Limiter("one", { rates: [], concurrency: 1 })]));
  const ticket = limited.begin(nowMs);
  assertEquals(limited.standing(nowMs).kind, "blocked");
  limited.end(ticket);
  assertEquals(limited.standing(nowMs).kind, "ready");
});

Deno.test("an operator's pause comes before all else", () => {
  const { clock, of, operator, attempt, transport } = setUp();
  attempt(UNREACHABLE);
  operator.transports.set("out", { reason: "", by: "ada", sinceMs: 0, untilMs: null });
  const untilMs = clock.now() + 15 * MINUTE_MS;
  assertEquals(of().state(clock.now()), { kind: "down", untilMs, reason: "Paused by ada" });
  assertEquals(of("b.example").standing(clock.now()).kind, "down");
  operator.transports.set(transport.name, {
    ...{ reason: "", by: "ada", sinceMs: 0, untilMs: clock.now() + 5 },
  });
  assertEquals(of("b.example").state(clock.now() + 4).kind, "down");
  assertEquals(of("b.example").state(clock.now() + 5).kind, "up");
  assertEquals(operator.isEmpty, true);
});

Deno.test("a destination is forgotten when nothing of it matters any more", () => {
  const { clock, of, table, attempt } = setUp();
  const names = () => [...table].map(({ name }) => name);
  for (const domain of ["idle", "busy", "down", "grown", "spent"]) of(domain);
  const ticket = of("busy").begin(clock.now());
  of("idle").waiting.push("job");
  attempt(UNREACHABLE, { at: of("down") });
  for (let count = 0; count < 4; count++) attempt(DELIVERED, { at: of("grown") });
  attempt(DELIVERED, { at: of("spent"), rate: { remaining: 0, resetAfterMs: 1_000 } });
  for (const one of [...table]) table.forgetIfIdle(one, clock.now());
  table.forgetStale(clock.now());
  assertEquals(names(), ["idle", "busy", "down", "grown", "spent"]);
  of("idle").waiting.drain();
  of("busy").end(ticket);
  for (const one of [...table]) table.forgetIfIdle(one, clock.now());
  assertEquals(names(), ["down", "grown", "spent"]);
  table.forgetStale(clock.now() + 1_000);
  assertEquals(names(), ["down", "grown"]);
  table.forgetStale(clock.now() + 15_000 + 2 * LIMITS.maxDownMs);
  assertEquals(names(), ["down", "grown"]);
  const stale = of("down").begin(0);
  table.forgetStale(clock.now() + 15_001 + 2 * LIMITS.maxDownMs);
  assertEquals(names(), ["down", "grown"]);
  of("down").end(stale);
  table.forgetStale(clock.now() + 15_001 + 2 * LIMITS.maxDownMs);
  assertEquals(names(), ["grown"]);
});

Deno.test("so many grown destinations are remembered, and no more", () => {
  const { clock, of, table } = setUp();
  for (let count = 0; count < 1_001; count++) {
    const one = of(`d${count}.example`);
    for (let success = 0; success < 4; success++) one.succeeded();
  }
  table.forgetIfIdle(of("d0.example"), clock.now());
  assertEquals([...table].length, 1_000);
  table.forgetIfIdle(of("d1.example"), clock.now());
  assertEquals([...table].length, 1_000);
});

Deno.test("the gate closes when no route is left, until the first is open again", () => {
  const { clock, of, attempt, table, transport, setWays } = setUp();
  const other = new FakeTransport({ name: "other" });
  const nowMs = clock.now();
  setWays([[transport], [other]]);
  attempt(SUSPENDED);
  assertEquals(table.gateUntilMs(nowMs), 0, "another route is open");
  setWays([[transport], []]);
  attempt(SUSPENDED);
  assertEquals(table.gateUntilMs(nowMs), 0, "mail of one route rests here");
  setWays([]);
  table.closeGate([], nowMs);
  assertEquals(table.gateUntilMs(nowMs), 0);
  setWays([[transport], [transport, other]]);
  attempt({ ...SUSPENDED, retryAfterMs: 90_000 } as Outcome, { at: table.of(other, "a.example") });
  assertEquals(table.gateUntilMs(nowMs), nowMs + 30_000, "two failures of the first");
  assertEquals([table.gateUntilMs(nowMs + 29_999) > 0, table.gateUntilMs(nowMs + 30_000)], [
    true,
    0,
  ]);
  assertEquals(table.gateUntilMs(nowMs - 1), 0, "the clock was set back");
  table.forgetPauses();
  assertEquals(table.gateUntilMs(nowMs), 0);
  assertEquals(of().state(nowMs).kind, "down");
});

Deno.test("the gate closes when the one destination of every domain is down", () => {
  const transport = Object.assign(new FakeTransport(), {
    sharedDestination: "smart.example",
    destinationOf: () => "smart.example",
  });
  const { clock, attempt, table } = setUp({ transport });
  table.closeGate([[transport]], clock.now());
  assertEquals(table.gateUntilMs(clock.now()), 0);
  attempt(UNREACHABLE);
  assertEquals(table.gateUntilMs(clock.now()), clock.now() + 15_000);
});

Deno.test("a probe lets the next attempt find out: of one transport, or of all", () => {
  for (const probe of ["one", "all"] as const) {
    const { clock, of, attempt, table, transport } = setUp();
    const other = table.of(new FakeTransport({ name: "other" }), "a.example");
    for (const at of [of(), other]) {
      for (const outcome of [UNREACHABLE, SUSPENDED]) attempt(outcome, { at });
    }
    table.pause("a.example", { untilMs: clock.now() + 1, sinceMs: clock.now(), reason: "" });
    if (probe === "one") table.probeTransport(transport);
    else table.probeNow();
    const state = ({ circuit, transportCircuit }: Destination<string>) =>
      [circuit, transportCircuit].map((one) => one.state(clock.now()).kind);
    assertEquals(state(of()), ["probing", "probing"]);
    assertEquals(state(other), new Array(2).fill(probe === "one" ? "down" : "probing"));
    assertEquals(table.isPaused("a.example", clock.now()), false);
  }
});

Deno.test("transports that are gone are forgotten, and those that stay are not", () => {
  const { clock, attempt, table, transport, of } = setUp();
  const gone = new FakeTransport({ name: "gone" });
  attempt(SUSPENDED, { at: table.of(gone, "a.example") });
  attempt(SUSPENDED);
  table.keepOnly(new Set([transport]));
  assertEquals([...table], [of()]);
  assertEquals(table.transportState(transport, clock.now()).kind, "down");
  assertEquals(table.transportState(gone, clock.now()).kind, "up");
});

Deno.test("lines of one destination are found together, and forgotten one by one", () => {
  const { clock, table, transport } = setUp();
  const ordinary = table.of(transport, "a.example");
  const lane = table.of(transport, "a.example", "1,2");
  assertEquals(table.of(transport, "a.example", "1,2"), lane);
  assertEquals([...table.find(transport, "a.example")], [ordinary, lane]);
  assertEquals([...table.find(transport, "b.example")], []);
  table.forgetIfIdle(lane, clock.now());
  assertEquals([...table.find(transport, "a.example")], [ordinary]);
});

Deno.test("a domain is paused while all its ways are closed, at most so many at once", () => {
  const { clock, table, operator } = setUp();
  const nowMs = clock.now();
  const pause = { untilMs: nowMs + 1_000, sinceMs: nowMs, reason: "451" };
  for (let count = 0; count < 10_001; count++) table.pause(`d${count}`, pause);
  table.pause("d0", { ...pause, untilMs: nowMs + 2_000 });
  assertEquals(["d0", "d9999", "d10000"].map((name) => table.isPaused(name, nowMs)), [
    ...[true, true, false],
  ]);
  assertEquals(table.isPaused("d0", nowMs - 1), false, "the clock was set back");
  assertEquals([...table.paused(nowMs + 1_000).keys()], ["d0"]);
  operator.domains.set("slow", { reason: "busy", by: "ada", sinceMs: 0, untilMs: null });
  assertEquals([table.isPaused("slow", nowMs), table.isPaused("d0", nowMs + 2_000)], [true, false]);
  assertEquals(
    table.paused(nowMs + 2_000),
    new Map([
      ["slow", {
        untilMs: nowMs + 2_000 + 15 * MINUTE_MS,
        reason: "451 4.3.2 Paused by ada: busy",
      }],
    ]),
  );
});

Deno.test("domains that were put off are named once, and not when they are too many", () => {
  const domains = new PutOffDomains();
  for (let count = 0; count < 1_000; count++) domains.note("many", `d${count}`);
  domains.note("few", "a");
  domains.note("few", "b");
  assertEquals(domains.take("few"), new Set(["a", "b"]));
  assertEquals(domains.take("few"), new Set());
  domains.note("many", "last");
  for (let count = 0; count < 10; count++) domains.note("many", `more${count}`);
  assertEquals(domains.take("many"), "all");
  domains.note("most", "a");
  assertEquals(domains.take("most"), new Set(["a"]));
  for (let count = 0; count < 1_000; count++) domains.note("enough", `d${count}`);
  assertEquals(domains.take("enough") === "all", false);
});

Deno.test("an allowance is spent at nothing left, and waited for to its end, the latest told", () => {
  const allowance = new Allowance();
  const numbers = [1, 2, 3].map(() => allowance.take());
  assertEquals(numbers, [1, 2, 3]);
  allowance.learn({ remaining: 1, resetAfterMs: 9_000 }, { nowMs: 0, number: 3 });
  assertEquals([allowance.isSpent(0), allowance.restUntilMs(0)], [false, 0]);
  allowance.learn({ remaining: 0, resetAfterMs: 1_000 }, { nowMs: 0, number: 2 });
  assertEquals([allowance.isSpent(0), allowance.restUntilMs(0)], [true, 9_000]);
  allowance.learn({ remaining: 5, resetAfterMs: 1_000 }, { nowMs: 0, number: 3 });
  assertEquals(allowance.isSpent(0), true, "the same answer twice, or one overtaken");
  allowance.take();
  allowance.learn({ remaining: 5, resetAfterMs: 1_000 }, { nowMs: 0, number: 4 });
  assertEquals(allowance.isSpent(0), false);
});
