/** A worker that dies in the middle: nothing is done twice, nothing is lost, nothing stays behind. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { encodeText } from "../../src/base/bytes.ts";
import { type QueueStore, StoreError } from "../../src/queue/store.ts";
import { detailOf, statesOf, textOf } from "./conformance/case.ts";
import { StoreFolder } from "./folder.ts";
import { claimOf, idOf, messageOf, NOW_MS, recipientOf, settlementOf } from "./messages.ts";

const EVENT = { messageId: idOf(1), atMs: NOW_MS, type: "delivered", body: "{}" };

interface Dying {
  readonly store: QueueStore;
  readonly folder: StoreFolder;
  /** The next transaction that writes kills its worker. */
  die(): Promise<void>;
}

for (const at of ["before", "after"] as const) {
  const test = (name: string, run: (dying: Dying) => Promise<void>): void => {
    Deno.test(`a worker that dies ${at} a commit: ${name}`, async () => {
      await using folder = await StoreFolder.make();
      const sign = `${folder.path}/die`;
      const workerUrl = new URL("./children/dying_worker.ts", import.meta.url);
      workerUrl.search = new URLSearchParams({ at, file: sign }).toString();
      await using store = await folder.open({ workerUrl });
      await run({ store, folder, die: () => Deno.writeTextFile(sign, "") });
    });
  };

  test("a message is stored once", async ({ store, folder, die }) => {
    await die();
    const lease = { owner: "node-a", untilMs: NOW_MS + 60_000 };
    const spool = store.spool();
    await spool.write(encodeText("large"));
    const place = { kind: "spool", name: await spool.finish() } as const;
    const puts = [1, 2, 3].map((number) => store.put(messageOf(number, { lease })));
    await Promise.all([...puts, store.put(messageOf(4, { place }))]);
    await die();
    await store.putAll([messageOf(5, { events: [EVENT] }), messageOf(6)]);
    assertEquals(await store.count({}), 6);
    assertEquals((await store.stats()).recipients.queued, 6);
    assertEquals(await textOf(store, 3), "Subject: 3\r\n\r\nText\r\n");
    assertEquals(await textOf(store, 4), "large");
    assertEquals((await store.outbox.read({ after: 0, limit: 9 })).length, 1);
    assertEquals((await folder.spooled()).length, 1);
  });

  test("a message that is refused is refused still", async ({ store, folder, die }) => {
    const spool = store.spool();
    await spool.write(encodeText("large"));
    const place = { kind: "spool", name: await spool.finish() } as const;
    await Deno.remove(`${folder.path}/spool/${place.name}`);
    await die();
    const results = await Promise.allSettled([
      store.put(messageOf(1, { place })),
      store.put(messageOf(2)),
    ]);
    assertEquals(results.map(({ status }) => status), ["rejected", "fulfilled"]);
    assertEquals(await store.count({}), 1);
  });

  test("an outcome is settled once", async ({ store, die }) => {
    await store.put(messageOf(1, { to: ["a@dest.example", "b@dest.example"] }));
    await store.claim(claimOf());
    await die();
    await store.settle(settlementOf(1, {
      recipients: [
        { index: 0, disposition: { kind: "final", state: "delivered" }, reply: "250 ok" },
        {
          ...{ index: 1, reply: "451 later" },
          disposition: { kind: "retry", nextAttemptAtMs: NOW_MS + 1, counts: true },
        },
      ],
      timeline: [{ atMs: NOW_MS, kind: "attempt", recipients: [0, 1], detail: { remote: "x" } }],
      notifications: [messageOf(2, { reversePath: "" })],
      events: [EVENT],
    }));
    assertEquals(await statesOf(store, 1), ["delivered", "queued"]);
    const { timeline, recipients } = await detailOf(store, 1);
    assertEquals(timeline.length, 1);
    assertEquals(recipients.map(({ attempts }) => attempts), [1, 1]);
    assertEquals(await statesOf(store, 2), ["queued"]);
    assertEquals((await store.outbox.read({ after: 0, limit: 9 })).length, 1);
  });

  test("what was claimed is told, and nothing else is claimed", async ({ store, die }) => {
    const lease = { owner: "node-a", untilMs: NOW_MS + 60_000 };
    await store.put(messageOf(1, { lease }));
    await store.put(messageOf(2, { to: ["a@dest.example", "b@dest.example"] }));
    const later = recipientOf("c@dest.example", { nextAttemptAtMs: NOW_MS + 5 });
    await store.put(messageOf(3, { to: [later] }));
    await die();
    const { claimed, nextDueAtMs } = await store.claim(claimOf());
    assertEquals(claimed.map(({ message, recipients }) => [message.id, recipients.length]), [
      [idOf(2), 2],
    ]);
    assertEquals(nextDueAtMs, NOW_MS + 5);
    assertEquals((await detailOf(store, 1)).recipients[0]?.claimedBy, "node-a");
    await store.settle(settlementOf(1));
    assertEquals(await statesOf(store, 1), ["delivered"]);
  });

  test("a small record is claimed once, by who asked", async ({ store, die }) => {
    await die();
    const entry = { key: "one", value: "mine", expiresAtMs: null };
    assertEquals(await store.shelf.claim("keys", entry), null);
    assertEquals((await store.shelf.claim("keys", { ...entry, value: "other" }))?.value, "mine");
  });
}

Deno.test("a worker that cannot be started again: what may be done is said to be so", async () => {
  await using folder = await StoreFolder.make();
  const source = `let count = 0;
    self.onmessage = ({ data: { kind, calls, bytes } }) => {
    if (kind === "open") {
      try { Deno.statSync(${JSON.stringify(`${folder.path}/broken`)}); } catch {
        return self.postMessage({ kind: "opened" });
      }
      const failure = { kind: "full", message: "no space" };
      return self.postMessage({ kind: "failed", failure });
    }
    if (kind === "close") return self.postMessage({ kind: "closed" });
    throw new Error("out of paper");
  };`;
  const workerUrl = `data:text/javascript,${encodeURIComponent(source)}`;
  await using store = await folder.open({ workerUrl, mode: "tool" });
  const spool = store.spool();
  await spool.write(encodeText("large"));
  const place = { kind: "spool", name: await spool.finish() } as const;
  await Deno.writeTextFile(`${folder.path}/broken`, "");
  const error = await assertRejects(() => store.put(messageOf(1, { place })), StoreError);
  assert(error.mayBeDone);
  await spool.discard();
  assertEquals((await folder.spooled()).length, 1, "the message may be there");
  const next = await assertRejects(() => store.put(messageOf(2)), StoreError);
  assertEquals([next.kind, next.mayBeDone], ["full", false]);
});
