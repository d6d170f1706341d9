import { assertEquals, assertRejects } from "@std/assert";
import { TaskGate } from "../../src/auth/task_gate.ts";
import { settle } from "../support/manual_clock.ts";

const LIMITS = { running: 1, waiting: 3, waitingPerKey: 2 };

function bench() {
  const gate = new TaskGate(LIMITS);
  const started: string[] = [];
  const ends = new Map<string, PromiseWithResolvers<string>>();
  const run = (key: string, name: string) =>
    gate.run(key, () => {
      started.push(name);
      const end = Promise.withResolvers<string>();
      ends.set(name, end);
      return end.promise;
    });
  return { gate, started, ends, run };
}

Deno.test("task gate: tasks run in the order they came, one ends and the next begins", async () => {
  const { started, ends, run } = bench();
  const first = run("a", "1");
  run("a", "2");
  run("b", "3");
  await settle();
  assertEquals(started, ["1"]);
  ends.get("1")?.resolve("one");
  assertEquals(await first, "one");
  await settle();
  assertEquals(started, ["1", "2"]);
  ends.get("2")?.resolve("");
  await settle();
  assertEquals(started, ["1", "2", "3"]);
});

Deno.test("task gate: so many wait, of one key fewer, and the rest are sent away", async () => {
  const { ends, run } = bench();
  run("a", "1");
  assertEquals([run("a", "2"), run("a", "3"), run("a", "4")].map((one) => one === null), [
    ...[false, false, true],
  ]);
  assertEquals([run("b", "5"), run("b", "6")].map((one) => one === null), [false, true]);
  ends.get("1")?.resolve("");
  await settle();
  assertEquals(run("a", "7") === null, false, "one of the key has left the line");
  assertEquals(run("b", "8"), null);
});

Deno.test("task gate: a task that fails makes room as one that ends", async () => {
  const { started, ends, run } = bench();
  const first = run("a", "1");
  run("a", "2");
  ends.get("1")?.reject(new Error("no"));
  await assertRejects(() => first ?? Promise.resolve(), Error, "no");
  await settle();
  assertEquals(started, ["1", "2"]);
  ends.get("2")?.resolve("");
  await settle();
  run("a", "3");
  assertEquals(started, ["1", "2", "3"], "nobody runs, so it begins at once");
});

Deno.test("task gate: new limits hold for those who come", async () => {
  const { gate, started, run } = bench();
  run("a", "1");
  gate.use({ ...LIMITS, running: 2 });
  run("a", "2");
  await settle();
  assertEquals(started, ["1", "2"]);
});
