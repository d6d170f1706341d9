/** The thread's end of a worker: what travels together, who is told, and what a death leaves. */
import { assertEquals, assertRejects } from "@std/assert";
import { Batch } from "../../src/queue/sqlite/batch.ts";
import { Connection } from "../../src/queue/sqlite/connection.ts";
import {
  Link,
  type Orphans,
  type StoreThreads,
  type WorkerEars,
} from "../../src/queue/sqlite/link.ts";
import type { Request, Response } from "../../src/queue/sqlite/protocol.ts";
import { StoreError } from "../../src/queue/store.ts";
import { settle } from "../support/manual_clock.ts";

/** A worker that answers when a test says so. */
class FakeWorker {
  readonly requests: Request[] = [];
  isEnded = false;
  readonly #ears: WorkerEars;

  constructor(ears: WorkerEars) {
    this.#ears = ears;
  }

  postMessage(request: Request): void {
    this.requests.push(request);
  }

  terminate(): void {
    this.isEnded = true;
  }

  say(response: Response): void {
    this.#ears.onResponse(response);
  }

  die(reason = "out of paper"): void {
    this.#ears.onFailure(reason);
  }

  /** The batches that it got: names of calls, and whether they were made before. */
  get batches() {
    return this.requests.flatMap((request) =>
      request.kind === "batch" ? [{ ...request, names: request.calls.map(([name]) => name) }] : []
    );
  }

  /** Answers the last batch: results are the names of its calls, all or but for failures. */
  finish(failures: readonly number[] = [], bytes = new ArrayBuffer(1)): void {
    const names = this.batches.at(-1)?.names ?? [];
    this.say({
      ...{ kind: "done", results: names, bytes },
      failures: failures.map((position) => [position, "full", "no space"]),
    });
  }
}

/** Threads whose turns a test makes. */
function fakeThreads() {
  const workers: FakeWorker[] = [];
  const turns: (() => void)[] = [];
  const threads: StoreThreads = {
    start(_role, ears) {
      const worker = new FakeWorker(ears);
      workers.push(worker);
      return worker;
    },
    soon: (callback) => void turns.push(callback),
  };
  const turn = (): void => turns.splice(0).forEach((callback) => callback());
  return { threads, workers, turns, turn };
}

async function openLink() {
  const made = fakeThreads();
  const deaths: Orphans[] = [];
  let changes = 0;
  const opening = Link.open({
    ...{ threads: made.threads, role: "writer", keepsFailed: true, folder: "/q", watchMs: 7 },
    onChange: () => changes++,
    onDeath: (orphans) => deaths.push(orphans),
  });
  const [worker] = made.workers as [FakeWorker];
  assertEquals(worker.requests, [
    { kind: "open", role: "writer", folder: "/q", keepsFailed: true, watchMs: 7 },
  ]);
  worker.say({ kind: "opened" });
  const link = await opening;
  /** Makes calls of which the thread learns what became. */
  const call = (name: "stats" | "claim", octets = 0) => {
    const told: unknown[] = [];
    link.call(name, (attach) => {
      if (octets > 0) attach(new Uint8Array(octets));
      return null as never;
    }).then((result) => told.push(result), (error) => told.push(error));
    return told;
  };
  return { ...made, worker, link, call, deaths, changes: () => changes };
}

Deno.test("calls of one turn travel together, those that come meanwhile in the next batch", async () => {
  const { worker, call, turn, turns } = await openLink();
  const told = [call("stats"), call("claim")];
  assertEquals([worker.batches.length, turns.length], [0, 1]);
  turn();
  assertEquals(worker.batches.map(({ names, isAgain }) => [names, isAgain]), [
    [["stats", "claim"], false],
  ]);
  const later = [call("claim"), call("stats")];
  assertEquals(turns.length, 0, "one batch is with the worker");
  worker.finish();
  assertEquals(worker.batches.map(({ names }) => names), [
    ["stats", "claim"],
    ["claim", "stats"],
  ]);
  await settle();
  assertEquals([told, later], [[["stats"], ["claim"]], [[], []]]);
  worker.finish([1]);
  await settle();
  assertEquals(later[0], ["claim"]);
  const [error] = later[1] as [StoreError];
  assertEquals([error.kind, error.message, error.mayBeDone], [
    ...["full", "Cannot stats: no space", false],
  ]);
  call("stats");
  turn();
  assertEquals(worker.batches.length, 3, "a link that was idle goes on");
});

Deno.test("a batch has a thousand calls or four megabytes at most", async () => {
  const { worker, call, turn } = await openLink();
  for (let count = 0; count < 1_001; count++) call("stats");
  turn();
  worker.finish();
  assertEquals(worker.batches.map(({ names }) => names.length), [1_000, 1]);
  worker.finish();
  call("stats", 4 * 1024 * 1024 - 1);
  call("stats", 1);
  call("stats");
  turn();
  worker.finish();
  assertEquals(worker.batches.slice(2).map(({ names }) => names.length), [2, 1]);
});

Deno.test("the buffer of a batch is used again, unless it is large", async () => {
  const { worker, call, turn } = await openLink();
  const buffers = [];
  for (const bytes of [0, 100, 8 * 1024 * 1024, 8 * 1024 * 1024 + 1, 100]) {
    call("stats");
    turn();
    buffers.push(worker.batches.at(-1)?.bytes.byteLength);
    worker.finish([], new ArrayBuffer(bytes));
    await settle();
  }
  const first = 64 * 1024;
  assertEquals(buffers, [first, 0, 100, 8 * 1024 * 1024, first]);
});

Deno.test("a link that closes waits for its calls, then ends the worker", async () => {
  const { worker, link, call, turn } = await openLink();
  const told = call("stats");
  let isClosed = false;
  const closing = link.close().then(() => isClosed = true);
  await settle();
  turn();
  assertEquals(worker.requests.length, 2);
  worker.finish();
  await settle();
  assertEquals([told, worker.requests.at(-1), isClosed], [["stats"], { kind: "close" }, false]);
  worker.say({ kind: "closed" });
  await closing;
  assertEquals([worker.isEnded, link.isUsable], [true, false]);
  const error = await assertRejects(() => link.call("stats", () => null), StoreError);
  assertEquals(error.kind, "closed");
});

Deno.test("a worker that cannot open the store is ended, and says why", async () => {
  const { threads, workers } = fakeThreads();
  const opening = Link.open({
    ...{ threads, role: "reader", keepsFailed: false, folder: "/q", watchMs: 0 },
    ...{ onChange() {}, onDeath() {} },
  });
  workers[0]?.say({ kind: "failed", failure: { kind: "corrupt", message: "torn" } });
  const error = await assertRejects(() => opening, StoreError, "torn");
  assertEquals([error.kind, workers[0]?.isEnded], ["corrupt", true]);
});

Deno.test("changes by others are told", async () => {
  const { worker, changes } = await openLink();
  worker.say({ kind: "changed" });
  worker.say({ kind: "changed" });
  assertEquals(changes(), 2);
});

Deno.test("a death leaves what the worker had in doubt, and the rest untouched, once", async () => {
  const { worker, link, call, turn, deaths } = await openLink();
  const told = [call("stats"), call("stats")];
  turn();
  told.push(call("claim"));
  const closing = link.close();
  worker.die();
  worker.die("again");
  assertEquals(
    deaths.map(({ reason, doubtful, untouched }) => [
      ...[reason, doubtful.map(({ name }) => name), untouched.map(({ name }) => name)],
    ]),
    [["out of paper", ["stats", "stats"], ["claim"]]],
  );
  assertEquals([link.isUsable, worker.isEnded, told], [false, true, [[], [], []]]);
  await closing;
  const error = await assertRejects(() => link.call("stats", () => null), StoreError);
  assertEquals([error.kind, error.mayBeDone], ["unavailable", true]);
});

Deno.test("a worker that dies idle leaves nothing", async () => {
  const { worker, deaths } = await openLink();
  worker.die();
  assertEquals(deaths, []);
});

Deno.test("calls in doubt travel alone, before the others; what kills two workers is given up", async () => {
  const first = await openLink();
  first.call("stats");
  const killer = first.call("claim");
  first.turn();
  const untouched = first.call("stats");
  first.worker.die();
  const [orphans] = first.deaths as [Orphans];
  const second = await openLink();
  const fresh = second.call("stats");
  second.link.adopt(orphans);
  second.turn();
  const seen = () => second.worker.batches.map(({ names, isAgain }) => [names.join(), isAgain]);
  assertEquals(seen(), [["stats", false]]);
  second.worker.finish();
  second.worker.finish();
  assertEquals(seen().slice(1), [["stats", true], ["claim", true]]);
  second.worker.die("again");
  await settle();
  const [error] = killer as [StoreError];
  assertEquals([error.message, error.mayBeDone], [
    ...["Cannot use the queue: its worker failed: again", true],
  ]);
  assertEquals([fresh, untouched], [["stats"], []]);
  assertEquals(
    second.deaths.map(({ doubtful, untouched }) => [doubtful.length, untouched.length]),
    [
      [0, 1],
    ],
  );
  const third = await openLink();
  third.link.adopt(second.deaths[0] as Orphans);
  third.turn();
  third.worker.finish();
  await settle();
  assertEquals([untouched, third.worker.batches[0]?.isAgain], [["stats"], false]);
});

Deno.test("what was in doubt and not tried again yet stays so when the next worker dies", async () => {
  const first = await openLink();
  const told = [first.call("stats"), first.call("claim")];
  first.turn();
  first.worker.die();
  const second = await openLink();
  second.link.adopt(first.deaths[0] as Orphans);
  second.turn();
  second.worker.die("again");
  await settle();
  assertEquals(told.map(([error]) => error instanceof StoreError), [true, false]);
  assertEquals(
    second.deaths.map(({ doubtful, untouched }) => [
      ...[doubtful.map(({ name }) => name), untouched.length],
    ]),
    [[["claim"], 0]],
  );
});

Deno.test("a batch makes room for what is attached, and keeps what it has", () => {
  const batch = new Batch(new ArrayBuffer(4));
  const starts: number[] = [];
  const waiter = { resolve() {}, reject() {} };
  for (const octets of [[1, 2, 3], [4, 5], [6], [7, 8, 9, 10, 11, 12, 13, 14, 15]]) {
    batch.add({
      ...{ name: "put", waiter },
      pack: (attach) => starts.push(attach(Uint8Array.from(octets))),
    });
  }
  assertEquals([starts, batch.lengthBytes, batch.buffer.byteLength], [[0, 3, 5, 6], 15, 16]);
  const octets = [...new Uint8Array(batch.buffer).subarray(0, 15)];
  assertEquals(octets, Array.from({ length: 15 }, (_, index) => index + 1));
  assertEquals([batch.calls.length, batch.packed.length, batch.isAgain], [4, 4, false]);
});

/** A connection over fake threads. */
function connect() {
  const made = fakeThreads();
  const connection = new Connection({
    ...{ threads: made.threads, role: "writer", keepsFailed: false, folder: "/q", watchMs: 0 },
    onChange() {},
  });
  const call = () => {
    const told: unknown[] = [];
    connection.call("stats", () => null).then(
      (result) => told.push(result),
      (error) => told.push(error),
    );
    return told;
  };
  return { ...made, connection, call };
}

Deno.test("a connection starts one worker for many calls, and another when it died", async () => {
  const { connection, workers, call, turn } = connect();
  const told = [call(), call()];
  assertEquals(workers.length, 1);
  workers[0]?.say({ kind: "opened" });
  await settle();
  turn();
  workers[0]?.die();
  assertEquals(workers.length, 2, "what it had is made again at once");
  workers[1]?.say({ kind: "opened" });
  await settle();
  turn();
  workers[1]?.finish();
  workers[1]?.finish();
  await settle();
  assertEquals(told, [["stats"], ["stats"]]);
  told.push(call());
  assertEquals(workers.length, 2);
  turn();
  workers[1]?.finish();
  await settle();
  assertEquals(told[2], ["stats"]);
  const closing = connection.close();
  await settle();
  workers[1]?.say({ kind: "closed" });
  await closing;
  const error = await assertRejects(() => connection.call("stats", () => null), StoreError);
  assertEquals(error.kind, "closed");
});

Deno.test("calls fail when no other worker can be started", async () => {
  const { workers, call, turn } = connect();
  const doubtful = call();
  workers[0]?.say({ kind: "opened" });
  await settle();
  turn();
  const untouched = call();
  workers[0]?.die("one");
  workers[1]?.say({ kind: "failed", failure: { kind: "full", message: "no space" } });
  await settle();
  const errors = [doubtful[0], untouched[0]] as StoreError[];
  assertEquals(errors.map(({ kind, mayBeDone }) => [kind, mayBeDone]), [
    ["unavailable", true],
    ["full", false],
  ]);
  call();
  assertEquals(workers.length, 3, "the next call tries again");
});

Deno.test("a connection that closes while it opens closes what it opened, and one that never did nothing", async () => {
  const never = connect();
  await never.connection.close();
  assertEquals(never.workers.length, 0);
  const { connection, workers } = connect();
  const opening = connection.open();
  const closing = connection.close();
  workers[0]?.say({ kind: "opened" });
  await opening;
  await settle();
  assertEquals(workers[0]?.requests.at(-1), { kind: "close" });
  workers[0]?.say({ kind: "closed" });
  await closing;
  const failing = connect();
  const failed = failing.connection.open().catch(() => "failed");
  const ending = failing.connection.close();
  failing.workers[0]?.say({ kind: "failed", failure: { kind: "full", message: "" } });
  assertEquals([await failed, await ending], ["failed", undefined]);
});
