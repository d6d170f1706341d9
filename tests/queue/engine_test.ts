/** The worker's end of a store: what a transaction leaves when it ends, and when it is undone. */
import { assertEquals, assertThrows } from "@std/assert";
import { Database } from "../../src/queue/sqlite/database.ts";
import { type Engine, readingEngine, writingEngine } from "../../src/queue/sqlite/engine.ts";
import { packMessage, packSettlement } from "../../src/queue/sqlite/pack.ts";
import type { CallName, Request, Response } from "../../src/queue/sqlite/protocol.ts";
import { migrate } from "../../src/queue/sqlite/schema.ts";
import { WorkerEnd } from "../../src/queue/sqlite/worker_end.ts";
import type { NewMessage, Settlement } from "../../src/queue/store.ts";
import { StoreFolder } from "./folder.ts";
import { claimOf, idOf, messageOf, NOW_MS, settlementOf } from "./messages.ts";

const attachNothing = () => ({ attach: () => 0, nowMs: NOW_MS });
const put = (message: NewMessage) => ["put", packMessage(message, attachNothing())] as const;
const settled = (settlement: Settlement) =>
  ["settle", packSettlement(settlement, attachNothing())] as const;

/** An engine on a database in memory, and what its calls come to. */
function engineOn({ spoolFolder = "" } = {}) {
  const database = new Database(":memory:");
  migrate(database);
  const engine = writingEngine({ database, spoolFolder, keepsFailed: false });
  const run = (calls: readonly (readonly [CallName, unknown])[], isAgain = false) =>
    runOn(engine, calls, isAgain);
  const queued = () =>
    database.prepare<[number]>("SELECT n FROM counters WHERE key = 100").first()?.[0] ?? 0;
  return { database, engine, run, queued };
}

function runOn(engine: Engine, calls: readonly (readonly [CallName, unknown])[], isAgain = false) {
  const { answer, handOver } = engine.run({ calls, bytes: new ArrayBuffer(64), isAgain });
  return { ...answer, handOver };
}

Deno.test("the calls of a batch are one transaction, and each alone where one of them fails", () => {
  const { database, run, queued } = engineOn();
  let begun = 0;
  const begin = database.begin.bind(database);
  database.begin = () => {
    begun++;
    begin();
  };
  assertEquals(run([put(messageOf(1)), put(messageOf(2))]).failures, []);
  assertEquals([begun, queued()], [1, 2]);
  const { failures, results } = run([put(messageOf(3)), put(messageOf(1)), put(messageOf(4))]);
  assertEquals(failures.map(([position, kind]) => [position, kind]), [[1, "unavailable"]]);
  assertEquals([results.length, begun, queued()], [3, 5, 4]);
  const alone = run([put(messageOf(1))]);
  assertEquals([alone.failures.length, alone.results, begun, queued()], [1, [null], 6, 4]);
  assertEquals(run([put(messageOf(5))]).failures, [], "a transaction that failed is over");
  assertEquals(queued(), 5);
});

Deno.test("a call that nobody knows fails alone", () => {
  const { run } = engineOn();
  const { failures } = run([["list", {}]]);
  assertEquals(failures, [[0, "unavailable", "no handler, got list"]]);
});

Deno.test("a transaction that cannot be undone ends the connection", () => {
  const { database, run } = engineOn();
  run([put(messageOf(1))]);
  database.rollback = () => {
    throw new Error("disk I/O error");
  };
  const error = assertThrows(() => run([put(messageOf(1))]), Error, "Cannot undo a transaction");
  assertEquals([error.name, (error.cause as Error).message.includes("UNIQUE")], [
    ...["ConnectionLost", true],
  ]);
});

Deno.test("files go after the commit, and what is undone leaves none to be removed later", async () => {
  await using folder = await StoreFolder.make();
  const { path } = folder;
  for (const name of ["a.eml", "b.eml"]) await Deno.writeTextFile(`${path}/${name}`, "x");
  const { database, run } = engineOn({ spoolFolder: path });
  const there = async () =>
    (await Array.fromAsync(Deno.readDir(path))).map(({ name }) => name).toSorted();
  run([
    put(messageOf(1, { place: { kind: "spool", name: "a.eml" } })),
    put(messageOf(2, { place: { kind: "spool", name: "b.eml" } })),
    ["claim", claimOf()],
  ]);
  const commit = database.commit.bind(database);
  const failures = [new Error("disk I/O error")];
  database.commit = () => {
    const failure = failures.shift();
    if (failure !== undefined) throw failure;
    commit();
  };
  assertEquals(run([settled(settlementOf(1))]).failures.length, 1);
  assertEquals(await there(), ["a.eml", "b.eml"]);
  run([put(messageOf(3))]);
  assertEquals(await there(), ["a.eml", "b.eml"], "the message is in the queue as before");
  run([settled(settlementOf(1))]);
  assertEquals(await there(), ["b.eml"]);
  await Deno.remove(`${path}/b.eml`);
  assertEquals(run([settled(settlementOf(2))]).failures, [], "it was gone already");
});

Deno.test("counts of what was undone are not counted with what comes next", () => {
  const { database, run, queued } = engineOn();
  const failures = [new Error("disk I/O error")];
  const commit = database.commit.bind(database);
  database.commit = () => {
    const failure = failures.shift();
    if (failure !== undefined) throw failure;
    commit();
  };
  assertEquals(run([put(messageOf(1))]).failures.length, 1);
  run([put(messageOf(2))]);
  assertEquals(queued(), 1);
});

Deno.test("a message that is put again is known where a worker died, and refused elsewhere", () => {
  const { run, queued } = engineOn();
  run([put(messageOf(1))]);
  assertEquals(run([put(messageOf(1))], true).failures, []);
  assertEquals(run([put(messageOf(1))]).failures.length, 1);
  assertEquals(queued(), 1);
});

Deno.test("octets change hands with the answer, and none of what was undone", async () => {
  await using folder = await StoreFolder.make();
  {
    await using store = await folder.open();
    await store.put(messageOf(1));
  }
  using database = new Database(`${folder.path}/queue.db`, { readOnly: true });
  const engine = readingEngine({ database, spoolFolder: "", keepsFailed: false });
  const { results, handOver, failures } = runOn(engine, [["body", idOf(1)], ["body", idOf(2)]]);
  assertEquals([results.length, results[1], failures, handOver.length], [2, null, [], 2]);
  const failing = runOn(engine, [["put", null], ["body", idOf(1)]]);
  assertEquals([failing.failures.map(([position]) => position), failing.handOver.length], [[0], 2]);
});

Deno.test("octets that are claimed change hands, as far as the budget goes", () => {
  const { run } = engineOn();
  run([1, 2, 3].map((number) => put(messageOf(number))));
  const budget = 2 * messageOf(1).facts.sizeBytes;
  const { handOver } = run([["claim", claimOf({ bodyBudgetBytes: budget })]]);
  assertEquals(handOver.length, 3, "those of the batch, and of two messages");
});

/** A worker's end whose thread is here. */
function workerEnd() {
  const said: Response[] = [];
  const watches: { periodMs: number; look: () => void; isOver: boolean }[] = [];
  let ended = 0;
  const end = new WorkerEnd({
    say: (response) => said.push(response),
    every(periodMs, look) {
      const watch = { periodMs, look, isOver: false };
      watches.push(watch);
      return () => void (watch.isOver = true);
    },
    end: () => void ended++,
  });
  const kinds = () => said.map(({ kind }) => kind);
  return { end, said, kinds, watches, ended: () => ended };
}

const open = (folder: string, watchMs = 0, role: "writer" | "reader" = "writer"): Request => ({
  ...{ kind: "open", role, folder, keepsFailed: false, watchMs },
});
const batch = (...calls: readonly (readonly [CallName, unknown])[]): Request => ({
  ...{ kind: "batch", calls, bytes: new ArrayBuffer(64), isAgain: false },
});

Deno.test("a worker tells of changes by others, not of its own, and ends all with its store", async () => {
  await using folder = await StoreFolder.make();
  const { end, kinds, watches, ended } = workerEnd();
  assertThrows(() => end.answer(batch(put(messageOf(1)))), Error, "not open");
  end.answer(open(folder.path, 300));
  end.answer(batch(put(messageOf(1))));
  const [watch] = watches;
  assertEquals([kinds(), watches.length, watch?.periodMs], [["opened", "done"], 1, 300]);
  watch?.look();
  assertEquals(kinds(), ["opened", "done"]);
  folder.sql("UPDATE counters SET n = n + 1");
  watch?.look();
  watch?.look();
  assertEquals(kinds(), ["opened", "done", "changed"]);
  folder.sql("UPDATE counters SET n = n + 1");
  watch?.look();
  assertEquals(kinds().slice(3), ["changed"]);
  end.answer({ kind: "close" });
  assertEquals([kinds().at(-1), watch?.isOver, ended()], ["closed", true, 1]);
});

Deno.test("a worker that is not to watch does not, and one that cannot open says why", async () => {
  await using folder = await StoreFolder.make();
  const { end, said, watches } = workerEnd();
  end.answer(open(folder.path));
  assertEquals([watches.length, said.map(({ kind }) => kind)], [0, ["opened"]]);
  end.answer({ kind: "close" });
  const failing = workerEnd();
  failing.end.answer(open(`${folder.path}/nowhere`));
  assertEquals(failing.said.map(({ kind }) => kind), ["failed"]);
});

Deno.test("a worker whose connection is lost closes it, so that others get its locks", async () => {
  await using folder = await StoreFolder.make();
  const { end, watches } = workerEnd();
  end.answer(open(folder.path, 300));
  end.answer(batch(put(messageOf(1))));
  const { rollback } = Database.prototype;
  Database.prototype.rollback = () => {
    throw new Error("disk I/O error");
  };
  try {
    assertThrows(() => end.answer(batch(put(messageOf(1)))), Error, "Cannot undo");
  } finally {
    Database.prototype.rollback = rollback;
  }
  assertEquals(watches.map(({ isOver }) => isOver), [true]);
  folder.sql("BEGIN IMMEDIATE; COMMIT");
});
