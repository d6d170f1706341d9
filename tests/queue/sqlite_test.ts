import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { StoreError } from "../../src/queue/store.ts";
import { detailOf, statesOf, textOf } from "./conformance/case.ts";
import { StoreFolder } from "./folder.ts";
import { claimOf, idOf, messageOf, NOW_MS, settlementOf } from "./messages.ts";
import { ownThread } from "./own_thread.ts";
import { testStore } from "./store_conformance.ts";

testStore("sqlite store", async () => {
  const folder = await StoreFolder.make();
  const store = await folder.open({ threads: ownThread });
  return {
    store,
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
});

Deno.test("sqlite store: what was put is there when it is opened again", async () => {
  await using folder = await StoreFolder.make();
  {
    await using store = await folder.open();
    await store.put(messageOf(1));
    await store.put(messageOf(2));
    await store.claim(claimOf({ limit: 1 }));
    await store.settle(settlementOf(1));
  }
  await using store = await folder.open();
  assertEquals(await statesOf(store, 1), ["delivered"]);
  assertEquals(await textOf(store, 2), "Subject: 2\r\n\r\nText\r\n");
  const { recipients } = await store.stats();
  assertEquals([recipients.queued, recipients.delivered], [1, 1]);
});

Deno.test("sqlite store: claims of the former process end at once, and the timeline says so", async () => {
  await using folder = await StoreFolder.make();
  {
    await using store = await folder.open();
    await store.put(messageOf(1, { to: ["a@dest.example", "b@dest.example"] }));
    await store.claim(claimOf({ leaseMs: 1e9 }));
  }
  await using store = await folder.open();
  const { recipients, timeline } = await detailOf(store, 1);
  assertEquals(recipients.map(({ claimedBy }) => claimedBy), [null, null]);
  const detail = { owner: "node-a" };
  assertEquals(timeline, [{ atMs: NOW_MS, kind: "interrupted", recipients: [0, 1], detail }]);
  assertEquals((await store.claim(claimOf())).claimed.length, 1);
});

Deno.test("sqlite store: what was acknowledged survives kill -9", async () => {
  await using folder = await StoreFolder.make();
  const script = new URL("./children/put_until_killed.ts", import.meta.url).pathname;
  const put = new Set<number>();
  const settled = new Set<number>();
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "--allow-read", "--allow-write", script, folder.path],
    stdout: "piped",
  }).spawn();
  let rest = "";
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) (line[0] === "p" ? put : settled).add(Number(line.slice(2)));
    if (put.size > 500) tryKill(child);
  }
  await child.status;
  await using store = await folder.open();
  for (const number of put) {
    const [state] = await statesOf(store, number);
    if (settled.has(number)) assertEquals(state, "delivered");
    else assertEquals(await textOf(store, number), bodyOf(number, state));
  }
  const { recipients, liveMessages } = await store.stats();
  assert(recipients.queued + recipients.delivered >= put.size);
  assertEquals(recipients.queued, liveMessages);
  assertEquals(await store.count({ states: ["queued"] }), liveMessages);
  const { claimed } = await store.claim(claimOf({ nowMs: NOW_MS, limit: 1e6, perDomain: 1e6 }));
  assertEquals(claimed.length, liveMessages);
});

/** A message whose settlement was on disk, but not yet told, has no octets. */
function bodyOf(number: number, state: string | undefined): string | null {
  return state === "delivered" ? null : `Subject: ${number}\r\n\r\nText\r\n`;
}

function tryKill(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch {
    return; // It is dead already, and its output is read to the end.
  }
}

Deno.test("sqlite store: a folder has one relay, and the lock ends with it", async () => {
  await using folder = await StoreFolder.make();
  {
    await using _store = await folder.open();
    const error = await assertRejects(() => folder.open(), StoreError);
    assertEquals(error.kind, "locked");
    assertStringIncludes(error.message, folder.path);
  }
  await using _store = await folder.open();
});

Deno.test("sqlite store: tools work beside the relay, which notices", async () => {
  await using folder = await StoreFolder.make();
  await using relay = await folder.open();
  await relay.put(messageOf(1));
  await relay.put(messageOf(2));
  await relay.claim(claimOf({ limit: 1 }));
  await using tool = await folder.open({ mode: "tool" });
  // The claims of the relay stand.
  assertEquals((await detailOf(tool, 1)).recipients[0]?.claimedBy, "node-a");
  const { promise: changed, resolve } = Promise.withResolvers<void>();
  const stop = relay.onChange(resolve);
  const command = { kind: "hold" } as const;
  assertEquals(await tool.command({ filter: {}, command, nowMs: NOW_MS, by: "test" }), 2);
  await changed;
  stop();
  assertEquals((await relay.stats()).recipients.held, 2);
});

Deno.test("sqlite store: a tool works where no relay is", async () => {
  await using folder = await StoreFolder.make();
  {
    await using relay = await folder.open();
    await relay.put(messageOf(1));
  }
  await using tool = await folder.open({ mode: "tool" });
  const command = { kind: "cancel" } as const;
  assertEquals(await tool.command({ filter: {}, command, nowMs: NOW_MS, by: "test" }), 1);
  assertEquals(await statesOf(tool, 1), ["cancelled"]);
});

Deno.test("sqlite store: a newer schema is left alone", async () => {
  await using folder = await StoreFolder.make();
  await (await folder.open())[Symbol.asyncDispose]();
  folder.sql("PRAGMA user_version = 99");
  const error = await assertRejects(() => folder.open(), StoreError);
  assertEquals(error.kind, "newer_schema");
  assertStringIncludes(error.message, "99");
  assertStringIncludes(error.message, "where this one knows up to");
});

Deno.test("sqlite store: a file that is no database", async () => {
  await using folder = await StoreFolder.make();
  await Deno.writeTextFile(`${folder.path}/queue.db`, "Dear diary, ".repeat(1_000));
  const error = await assertRejects(() => folder.open(), StoreError);
  assertEquals(error.kind, "corrupt");
});

Deno.test("sqlite store: a damaged database", async () => {
  await using folder = await StoreFolder.make();
  await (await folder.open())[Symbol.asyncDispose]();
  using file = await Deno.open(`${folder.path}/queue.db`, { write: true });
  await file.seek(100, Deno.SeekMode.Start);
  await file.write(new Uint8Array(8_000).fill(0xff));
  const error = await assertRejects(() => folder.open(), StoreError);
  assertEquals(error.kind, "corrupt");
});

Deno.test("sqlite store: a folder that may not be written", async () => {
  await using folder = await StoreFolder.make();
  await (await folder.open())[Symbol.asyncDispose]();
  const script = new URL("./children/open_and_report.ts", import.meta.url).pathname;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "--no-prompt", "--allow-read", script, folder.path],
  }).output();
  assertEquals(new TextDecoder().decode(stdout), "read_only");
});

Deno.test({
  name: "sqlite store: a folder with read-only permissions (needs a user that is not root)",
  ignore: Deno.uid() === 0 || Deno.build.os === "windows",
  async fn() {
    await using folder = await StoreFolder.make();
    await Deno.chmod(folder.path, 0o500);
    const error = await assertRejects(() => folder.open(), StoreError);
    await Deno.chmod(folder.path, 0o700);
    assertEquals(error.kind, "read_only");
  },
});

Deno.test("sqlite store: a call that kills two workers fails, and those beside it are done", async () => {
  await using folder = await StoreFolder.make();
  const source = `self.onmessage = ({ data: { kind, calls, bytes } }) => {
    if (kind === "open") return self.postMessage({ kind: "opened" });
    if (kind === "close") return self.postMessage({ kind: "closed" });
    if (calls[0][0] === "claim") throw new Error("out of paper");
    self.postMessage({ kind: "done", results: calls.map(() => null), failures: [], bytes });
  };`;
  const workerUrl = `data:text/javascript,${encodeURIComponent(source)}`;
  await using store = await folder.open({ workerUrl, mode: "tool" });
  await store.put(messageOf(1));
  const [claim, put] = await Promise.allSettled([store.claim(claimOf()), store.put(messageOf(2))]);
  assert(claim?.status === "rejected" && claim.reason instanceof StoreError);
  assertEquals([claim.reason.kind, claim.reason.mayBeDone], ["unavailable", true]);
  assertStringIncludes(claim.reason.message, "out of paper");
  assertEquals(put?.status, "fulfilled");
  await store.put(messageOf(3));
});

Deno.test("sqlite store: a worker that cannot be loaded", async () => {
  await using folder = await StoreFolder.make();
  const workerUrl = new URL("./no_such_worker.ts", import.meta.url);
  const error = await assertRejects(() => folder.open({ workerUrl }), StoreError);
  assertEquals(error.kind, "unavailable");
});

Deno.test("sqlite store: spool files nobody refers to are removed when it is opened", async () => {
  await using folder = await StoreFolder.make();
  {
    await using store = await folder.open();
    const kept = store.spool();
    await kept.write(new TextEncoder().encode("kept"));
    const name = await kept.finish();
    await store.put(messageOf(1, { place: { kind: "spool", name } }));
    const finished = store.spool();
    await finished.write(Uint8Array.of(1));
    await finished.finish();
    const torn = store.spool();
    await torn.write(Uint8Array.of(1));
    assertEquals((await folder.spooled()).length, 3);
    // Only closes the file: the store is gone by then, as after a crash.
    await torn.finish();
  }
  await using store = await folder.open();
  assertEquals((await folder.spooled()).length, 1);
  assertEquals(await textOf(store, 1), "kept");
  await store.claim(claimOf());
  await store.settle(settlementOf(1));
  assertEquals(await folder.spooled(), []);
});

Deno.test("sqlite store: messages whose octets are missing are held, and others go on", async () => {
  await using folder = await StoreFolder.make();
  {
    await using store = await folder.open();
    const file = store.spool();
    await file.write(Uint8Array.of(1));
    const name = await file.finish();
    await store.put(messageOf(1, { place: { kind: "spool", name } }));
    await store.put(messageOf(2));
    await store.put(messageOf(3));
    await store.put(messageOf(4));
    await Deno.remove(`${folder.path}/spool/${name}`);
  }
  folder.sql(
    `DELETE FROM bodies WHERE message = 2; UPDATE messages SET record = '{' WHERE seq = 3`,
  );
  await using store = await folder.open();
  assertEquals(await textOf(store, 1), null);
  assertEquals(await textOf(store, 2), null);
  const { claimed } = await store.claim(claimOf());
  assertEquals(claimed.map(({ message }) => message.id), [idOf(4)]);
  for (const number of [1, 2, 3]) {
    const { recipients: [recipient], timeline, message } = await detailOf(store, number);
    assertEquals(message.id, idOf(number));
    assertEquals(recipient?.state, "held");
    assertStringIncludes(recipient?.lastReply ?? "", number === 3 ? "damaged" : "missing");
    assertEquals(timeline.map(({ kind }) => kind), ["quarantined"]);
  }
  assertEquals((await store.stats()).recipients.held, 3);
  const { items } = await store.list({ filter: { ids: [idOf(3)] }, limit: 1 });
  assertEquals(items[0]?.message.summary.subject, "(damaged record)");
});

Deno.test("sqlite store: searches go on past the first bucket", async () => {
  await using folder = await StoreFolder.make();
  await using store = await folder.open();
  const count = 4_500;
  const numbers = Array.from({ length: count }, (_, number) => number);
  const rare = (number: number) => number % 1_000 === 0 ? "rare@far.example" : "user@dest.example";
  await Promise.all(numbers.map((number) => store.put(messageOf(number, { to: [rare(number)] }))));
  const filters = [{ domain: "far.example" }, { recipient: "Rare@far.example" }];
  for (const filter of filters) {
    assertEquals(await store.count(filter), 5);
    const first = await store.list({ filter, limit: 3 });
    const second = await store.list({ filter, limit: 3, cursor: first.cursor ?? "" });
    const ids = [...first.items, ...second.items].map(({ message }) => message.id);
    assertEquals(ids, [4_000, 3_000, 2_000, 1_000, 0].map(idOf));
    assertEquals(second.cursor, null);
  }
  const sender = "sender@origin.example";
  assertEquals(await store.count({ sender }), count);
  // Both halves of the queue have some of these, and what they find is one page.
  const text = "rare@far";
  assertEquals(await store.count({ text, minSizeBytes: 20 }), 5);
  assertEquals(await store.countWithin({ text }, -1), { count: 0, isComplete: false });
  const page = await store.list({ filter: { text }, order: "attempts", limit: 4 });
  const rest = await store.list({
    ...{ filter: { text }, order: "attempts", limit: 4 },
    cursor: page.cursor ?? "",
  });
  const found = [...page.items, ...rest.items].map(({ message }) => message.id);
  assertEquals([found, rest.cursor], [[4_000, 3_000, 2_000, 1_000, 0].map(idOf), null]);
});
