/** The timer of lines that rest: there is one, and it is that of the line that may go first. */
import { assertEquals } from "@std/assert";
import { LOOK_AGAIN_MS } from "../../src/base/clock.ts";
import { DestinationTable } from "../../src/delivery/destination_table.ts";
import { Lines } from "../../src/delivery/lines.ts";
import { OperatorPauses } from "../../src/delivery/pauses.ts";
import { Gate } from "../../src/delivery/shaping/gate.ts";
import { Limiter } from "../../src/delivery/shaping/limiter.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { FakeTransport } from "./scheduler_setup.ts";

/** Lines on a clock, at destinations that rest for so long. */
function linesOn() {
  const clock = new ManualClock();
  const table = new DestinationTable<string>({
    limits: { initialConcurrency: 5, downMs: 15_000, maxDownMs: 300_000 },
    operator: new OperatorPauses(),
  });
  const ready: number[] = [];
  const down: string[] = [];
  const startMs = clock.now();
  const lines: Lines<string> = new Lines<string>({
    clock,
    onDown: (jobs) => down.push(...jobs),
    onReady: () => {
      ready.push(clock.now() - startMs);
      while (lines.next() !== null);
    },
  });
  const transport = new FakeTransport();
  const rest = (domain: string, restMs: number): void => {
    const destination = table.of(transport, domain);
    const limiter = new Limiter("slow", { rates: [{ count: 1, perMs: restMs }] });
    destination.shape(new Gate([limiter]));
    destination.end(destination.begin(clock.now()));
    lines.add(destination, domain);
  };
  return { clock, lines, table, transport, ready, down, rest };
}

Deno.test("a longer rest does not put off a shorter one that began before", async () => {
  const { clock, lines, ready, rest } = linesOn();
  rest("quick.example", 1_000);
  rest("slow.example", 5_000);
  assertEquals(clock.timers, 1);
  await clock.advance(1_000);
  assertEquals([ready, clock.timers], [[1_000], 1]);
  await clock.advance(4_000);
  assertEquals([ready, clock.timers], [[1_000, 5_000], 0]);
  assertEquals([...lines.destinations()], []);
});

Deno.test("a shorter rest takes the place of a longer one that began before", async () => {
  const { clock, ready, rest } = linesOn();
  rest("slow.example", 5_000);
  rest("quick.example", 1_000);
  rest("third.example", 1_000);
  assertEquals(clock.timers, 1);
  await clock.advance(1_000);
  assertEquals([ready, clock.timers], [[1_000], 1]);
  await clock.advance(4_000);
  assertEquals([ready, clock.timers], [[1_000, 5_000], 0]);
});

Deno.test("a rest is looked at again before long, however long it is, and after the clock was set", async () => {
  const { clock, ready, rest } = linesOn();
  rest("slow.example", 10 * LOOK_AGAIN_MS);
  await clock.advance(LOOK_AGAIN_MS - 1);
  assertEquals([ready, clock.timers], [[], 1]);
  clock.set(10 * LOOK_AGAIN_MS);
  await clock.advance(1);
  assertEquals([ready.length, clock.timers], [1, 0]);
});

Deno.test("a rest that was over already is looked at at once", async () => {
  const { clock, table, transport, lines, ready, rest } = linesOn();
  rest("slow.example", 5_000);
  clock.set(6_000);
  for (const destination of table) destination.shape(new Gate([]));
  const [destination] = table.find(transport, "slow.example");
  if (destination !== undefined) lines.place(destination);
  assertEquals(lines.next()?.job, "slow.example");
  await clock.advance(LOOK_AGAIN_MS);
  assertEquals([ready.length, clock.timers], [1, 0]);
});

Deno.test("lines that are stopped set no timer", async () => {
  const { clock, lines, ready, rest } = linesOn();
  rest("slow.example", 5_000);
  lines.stop();
  assertEquals(clock.timers, 0);
  rest("quick.example", 1_000);
  assertEquals(clock.timers, 0);
  assertEquals([...lines.faults({ attempts: 0 })], []);
  await clock.advance(10_000);
  assertEquals(ready, []);
});

Deno.test("destinations take turns, and what is put back comes first", () => {
  const { clock, lines, table, transport } = linesOn();
  const [a, b] = [table.of(transport, "a.example"), table.of(transport, "b.example")];
  for (const job of ["a1", "a2", "a3"]) lines.add(a, job);
  lines.add(b, "b1");
  const turn = (): string => {
    const { destination, job } = lines.next() ?? {};
    if (destination === undefined) return "none";
    lines.place(destination);
    return job ?? "";
  };
  assertEquals([turn(), turn(), turn()], ["a1", "b1", "a2"]);
  lines.putBack(a, "a2");
  assertEquals([turn(), turn(), turn()], ["a2", "a3", "none"]);
  for (let count = 0; count < 5; count++) a.begin(clock.now());
  lines.add(a, "a4");
  assertEquals([a.place, turn()], ["busy", "none"]);
  assertEquals([...lines.faults({ attempts: 5 })], []);
});

Deno.test("what waits where it must not is found", () => {
  const { lines, table, transport } = linesOn();
  const a = table.of(transport, "a.example");
  lines.add(a, "a1");
  a.waiting.drain();
  assertEquals([...lines.faults({ attempts: 0 })], [
    "The line at a.example by out (ready) is empty",
  ]);
  a.waiting.push("a1");
  a.place = "busy";
  assertEquals([...lines.faults({ attempts: 0 })], [
    "The line at a.example by out (ready) stands as busy, too",
  ]);
});

Deno.test("a line whose destination goes down is handed over, the others stay", () => {
  const { clock, lines, table, transport, down } = linesOn();
  const [a, b] = [table.of(transport, "a.example"), table.of(transport, "b.example")];
  for (const job of ["a1", "a2"]) lines.add(a, job);
  lines.add(b, "b1");
  a.circuit.open({ epoch: 0, nowMs: clock.now(), reason: "gone" });
  lines.placeAll();
  assertEquals([down, a.place, b.place], [["a1", "a2"], null, "ready"]);
  assertEquals(lines.take((job) => job === "b1"), ["b1"]);
  assertEquals([b.place, b.waiting.length], [null, 0]);
  lines.add(b, "b2");
  assertEquals([lines.drain(), b.place, lines.next()], [["b2"], null, null]);
});

Deno.test("lines that wait for attempts elsewhere find their places when one ends", () => {
  const { clock, lines, table, transport } = linesOn();
  const limiter = new Limiter("one", { rates: [], concurrency: 1 });
  const [a, b] = [table.of(transport, "a.example"), table.of(transport, "b.example")];
  for (const one of [a, b]) one.shape(new Gate([limiter]));
  const ticket = a.begin(clock.now());
  lines.add(b, "b1");
  assertEquals(b.place, "blocked");
  assertEquals([...lines.faults({ attempts: 1 })], []);
  assertEquals([...lines.faults({ attempts: 0 })].length, 1);
  a.end(ticket);
  lines.unblock();
  assertEquals(b.place, "ready");
});
