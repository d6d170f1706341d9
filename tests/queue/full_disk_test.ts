import { assert, assertEquals, assertRejects } from "@std/assert";
import { Database } from "../../src/queue/sqlite/database.ts";
import { writingEngine } from "../../src/queue/sqlite/engine.ts";
import { packMessage } from "../../src/queue/sqlite/pack.ts";
import { migrate } from "../../src/queue/sqlite/schema.ts";
import { type QueueStore, StoreError } from "../../src/queue/store.ts";
import { textOf } from "./conformance/case.ts";
import { StoreFolder } from "./folder.ts";
import { messageOf, NOW_MS } from "./messages.ts";

const BIG = { kind: "inline", bytes: new Uint8Array(50_000).fill(65) } as const;

Deno.test("sqlite engine: a full database refuses what does not fit, then goes on", () => {
  using database = new Database(":memory:");
  migrate(database);
  const engine = writingEngine({ database, spoolFolder: "", keepsFailed: false });
  const put = (numbers: readonly number[]) => {
    const bytes = BIG.bytes.slice().buffer;
    const calls = numbers.map((number) => {
      const message = messageOf(number, { place: BIG });
      return ["put", packMessage(message, { attach: () => 0, nowMs: NOW_MS })] as const;
    });
    return engine.run({ calls, bytes, isAgain: false }).answer;
  };
  const pages = Number(database.pragma("page_count"));
  database.pragma(`max_page_count = ${pages + 30}`);
  const answer = put([1, 2, 3, 4]);
  assertEquals(answer.failures.map(([position, kind]) => [position, kind]), [
    [2, "full"],
    [3, "full"],
  ]);
  database.pragma("max_page_count = 1000000");
  assertEquals(put([3, 4]).failures, []);
  const counted = database.prepare<[number]>("SELECT n FROM counters WHERE key = 100").first();
  assertEquals(counted, [4]);
});

/** Mounts a small file system; false where that is not allowed. */
async function mountSmall(path: string): Promise<boolean> {
  if (Deno.build.os !== "linux" || Deno.uid() !== 0) return false;
  try {
    const args = ["-t", "tmpfs", "-o", "size=3m", "tmpfs", path];
    const { success } = await new Deno.Command("mount", { args, stderr: "null" }).output();
    return success;
  } catch {
    return false;
  }
}

async function canMount(): Promise<boolean> {
  const path = await Deno.makeTempDir({ prefix: "posthouse-mount-" });
  const mounted = await mountSmall(path);
  if (mounted) await new Deno.Command("umount", { args: [path] }).output();
  await Deno.remove(path);
  return mounted;
}

async function putUntilFull(store: QueueStore): Promise<{ stored: number[]; error: StoreError }> {
  const stored: number[] = [];
  for (let number = 0;; number++) {
    try {
      await store.put(messageOf(number, { place: BIG }));
      stored.push(number);
    } catch (error) {
      assert(error instanceof StoreError);
      return { stored, error };
    }
  }
}

Deno.test({
  name: "sqlite store: a full disk (needs the right to mount)",
  ignore: !await canMount(),
  async fn() {
    await using folder = await StoreFolder.make();
    const path = `${folder.path}/small`;
    await Deno.mkdir(path);
    assert(await mountSmall(path));
    try {
      await using store = await folder.open({ folder: path });
      const ballast = `${path}/ballast`;
      await Deno.writeFile(ballast, new Uint8Array(1_000_000));
      const { stored, error } = await putUntilFull(store);
      assertEquals(error.kind, "full");
      assert(stored.length > 0);
      const spool = store.spool();
      const failure = await assertRejects(
        () => spool.write(new Uint8Array(4_000_000)),
        StoreError,
      );
      assertEquals(failure.kind, "full");
      await spool.discard();
      // All that was acknowledged is there, and with space the store goes on by itself.
      for (const number of stored) assertEquals((await textOf(store, number))?.length, 50_000);
      await Deno.remove(ballast);
      await store.put(messageOf(1_000_000, { place: BIG }));
      assertEquals(await store.count({}), stored.length + 1);
    } finally {
      await new Deno.Command("umount", { args: [path] }).output();
    }
  },
});
