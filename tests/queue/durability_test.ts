/** What makes a 250 true: what is synced, in which order, and what an undone transaction leaves. */
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { encodeText } from "../../src/base/bytes.ts";
import { Database } from "../../src/queue/sqlite/database.ts";
import { packMessage } from "../../src/queue/sqlite/pack.ts";
import { openDatabase, WorkerEnd } from "../../src/queue/sqlite/worker_end.ts";
import { StoreError } from "../../src/queue/store.ts";
import { statesOf, textOf } from "./conformance/case.ts";
import { StoreFolder } from "./folder.ts";
import { claimOf, messageOf, NOW_MS, settlementOf } from "./messages.ts";

Deno.test("every transaction that writes is synced before it is answered", async () => {
  await using folder = await StoreFolder.make();
  await Deno.mkdir(`${folder.path}/spool`);
  const modes: string[] = [];
  const { begin } = Database.prototype;
  Database.prototype.begin = function () {
    modes.push(`${this.pragma("journal_mode")} ${this.pragma("synchronous")}`);
    begin.call(this);
  };
  try {
    const end = new WorkerEnd({ say: () => {}, every: () => () => {}, end: () => {} });
    const { path } = folder;
    end.answer({ kind: "open", role: "writer", folder: path, keepsFailed: false, watchMs: 0 });
    modes.length = 0; // those of the migration
    const bytes = new ArrayBuffer(64);
    const packed = packMessage(messageOf(1), { attach: () => 0, nowMs: NOW_MS });
    end.answer({ kind: "batch", calls: [["put", packed]], bytes, isAgain: false });
    end.answer({ kind: "close" });
  } finally {
    Database.prototype.begin = begin;
  }
  assertEquals(modes, ["wal 2"]); // FULL
});

/** Opens files that write a few octets at a time, late, and notes what is done to them. */
function slowFiles(path: string, done: string[]) {
  return async (name: string, options?: Deno.OpenOptions): Promise<Deno.FsFile> => {
    const file = await Deno.open(name, options);
    const what = name === path ? "folder" : "file";
    return new Proxy(file, {
      get(target, key) {
        if (key === "sync") return () => target.sync().then(() => done.push(`sync ${what}`));
        if (key === "write") {
          return async (octets: Uint8Array) => {
            await new Promise((resolve) => setTimeout(resolve));
            done.push("write");
            return await target.write(octets.subarray(0, 4));
          };
        }
        const value = Reflect.get(target, key, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  };
}

Deno.test("a spool file is whole, and it and its folder are synced, when it has its name", async () => {
  await using folder = await StoreFolder.make();
  const done: string[] = [];
  const openFile = slowFiles(`${folder.path}/spool`, done);
  await using store = await folder.open({ openFile });
  const spool = store.spool();
  const octets = encodeText("ten octets");
  await spool.write(octets);
  octets.fill(0); // It may change from there on.
  const name = await spool.finish();
  assertEquals(done, ["write", "write", "write", "sync file", "sync folder"]);
  await store.put(messageOf(1, { place: { kind: "spool", name } }));
  assertEquals(await textOf(store, 1), "ten octets");
});

Deno.test("a settlement that is undone leaves the spool file where it is", async () => {
  await using folder = await StoreFolder.make();
  await using store = await folder.open();
  const spool = store.spool();
  await spool.write(encodeText("large"));
  const name = await spool.finish();
  await store.put(messageOf(1, { place: { kind: "spool", name } }));
  await store.put(messageOf(2));
  await store.claim(claimOf());
  const refused = settlementOf(1, { notifications: [messageOf(2)] });
  await assertRejects(() => store.settle(refused), StoreError);
  await store.put(messageOf(3)); // a transaction that is not undone
  assertEquals(await statesOf(store, 1), ["queued"]);
  assertEquals(await textOf(store, 1), "large");
  const { recipients } = await store.stats();
  assertEquals([recipients.queued, recipients.delivered], [3, 0]);
  await store.settle(settlementOf(1));
  assertEquals(await folder.spooled(), []);
});

Deno.test("each connection is set up for what it does", async () => {
  await using folder = await StoreFolder.make();
  const names = [
    ...["journal_mode", "synchronous", "cache_size", "temp_store", "mmap_size"],
    ...["busy_timeout", "automatic_index"],
  ];
  const setUpOf = (role: "writer" | "reader"): unknown[] => {
    using database = openDatabase(role, folder.path);
    return names.map((name) => database.pragma(name));
  };
  assertEquals(setUpOf("writer"), ["wal", 2, -65_536, 2, 0, 5_000, 0]);
  assertEquals(setUpOf("reader").slice(4), [512 * 1024 * 1024, 5_000, 0]);
});

Deno.test("a file that is no database is found when a connection opens, not with its first query", async () => {
  for (const role of ["writer", "reader"] as const) {
    await using folder = await StoreFolder.make();
    await Deno.writeTextFile(`${folder.path}/queue.db`, "no database ".repeat(1_000));
    const error = assertThrows(() => openDatabase(role, folder.path), StoreError);
    assertEquals(error.kind, "corrupt");
  }
});
