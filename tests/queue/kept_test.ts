import { assertEquals, assertRejects } from "@std/assert";
import { decodeText, encodeText } from "../../src/base/bytes.ts";
import { openMemoryStore } from "../../src/queue/memory/store.ts";
import { sendAgain, type SendAgainRequest } from "../../src/queue/send_again.ts";
import {
  type BodyPlace,
  type FinalState,
  type QueueStore,
  StoreError,
} from "../../src/queue/store.ts";
import { StoreFolder } from "./folder.ts";
import { claimOf, fixedClock, idOf, messageOf, NOW_MS, settlementOf } from "./messages.ts";

const LATER_MS = NOW_MS + 60_000;

/** Runs a test with each kind of store that keeps what failed. */
function forEachStore(name: string, run: (store: QueueStore) => Promise<void>): void {
  Deno.test(`memory store: ${name}`, async () => {
    await using store = openMemoryStore({ clock: fixedClock(), keepsFailed: true });
    await run(store);
  });
  Deno.test(`sqlite store: ${name}`, async () => {
    await using folder = await StoreFolder.make();
    await using store = await folder.open({ keepsFailed: true });
    await run(store);
  });
}

/** Puts a message whose recipients end in these states; returns where it is spooled. */
async function putDone(
  store: QueueStore,
  number: number,
  { states, spool = false }: { states: readonly FinalState[]; spool?: boolean },
): Promise<BodyPlace | null> {
  const to = states.map((_, index) => `r${index}@dest.example`);
  const writer = store.spool();
  if (spool) await writer.write(encodeText(`Subject: ${number}\r\n\r\nText\r\n`));
  const place = spool ? { kind: "spool" as const, name: await writer.finish() } : null;
  await store.put(messageOf(number, { to, ...(place === null ? {} : { place }) }));
  await store.claim(claimOf());
  const recipients = states.map((state, index) => ({
    ...{ index, reply: "550 no" },
    disposition: { kind: "final", state } as const,
  }));
  await store.settle(settlementOf(number, { recipients }));
  return place;
}

async function textOf(store: QueueStore, id: string): Promise<string | null> {
  const body = await store.body(id);
  if (body === null) return null;
  const chunks = await Array.fromAsync(body);
  return chunks.map(decodeText).join("");
}

const TEXT = "Subject: 1\r\n\r\nText\r\n";

forEachStore("octets of messages that failed are kept until they are dropped", async (store) => {
  await putDone(store, 1, { states: ["delivered", "failed"] });
  await putDone(store, 2, { states: ["expired"], spool: true });
  await putDone(store, 3, { states: ["delivered", "cancelled"] });
  assertEquals(await textOf(store, idOf(1)), TEXT);
  assertEquals(await textOf(store, idOf(2)), TEXT.replace("1", "2"));
  assertEquals(await textOf(store, idOf(3)), null);
  assertEquals((await store.get(idOf(1)))?.hasBody, true);
  assertEquals(await store.dropBodies({ beforeMs: NOW_MS, limit: 10 }), 0);
  assertEquals(await store.dropBodies({ beforeMs: LATER_MS, limit: 1 }), 1);
  assertEquals(await store.dropBodies({ beforeMs: LATER_MS, limit: 10 }), 1);
  assertEquals(await textOf(store, idOf(1)), null);
  assertEquals((await store.get(idOf(2)))?.hasBody, false);
});

forEachStore("octets of a message that is purged or deleted are gone", async (store) => {
  for (const [number, end] of [[1, "purge"], [2, "delete"], [3, "drop"]] as const) {
    const place = await putDone(store, number, { states: ["failed"], spool: true });
    if (place === null) throw new TypeError("it is not spooled");
    if (end === "purge") await store.purge({ beforeMs: LATER_MS, limit: 10 });
    else if (end === "drop") await store.dropBodies({ beforeMs: LATER_MS, limit: 10 });
    else {
      const filter = { ids: [idOf(number)] };
      await store.command({ filter, command: { kind: "delete" }, nowMs: NOW_MS, by: "op" });
    }
    await assertRejects(() => store.put(messageOf(number + 10, { place })), StoreError);
  }
});

Deno.test("sqlite store: spool files of failed messages outlive a restart, then go", async () => {
  await using folder = await StoreFolder.make();
  {
    await using store = await folder.open({ keepsFailed: true });
    await putDone(store, 1, { states: ["failed"], spool: true });
  }
  {
    await using store = await folder.open({ keepsFailed: true });
    assertEquals(await textOf(store, idOf(1)), TEXT);
    await store.purge({ beforeMs: LATER_MS, limit: 10 });
  }
  assertEquals(await folder.spooled(), []);
});

function again(store: QueueStore, request: Partial<SendAgainRequest> = {}) {
  return sendAgain({ id: idOf(1), by: "op", ...request }, {
    ...{ store, newId: () => idOf(9), nowMs: LATER_MS, expireMs: 1_000_000 },
    spoolThresholdBytes: 1_000,
    sign: () => Promise.resolve("Signed: yes\r\n"),
  });
}

forEachStore("a message is sent again to those who missed it", async (store) => {
  await putDone(store, 1, { states: ["delivered", "failed", "expired"] });
  assertEquals(await again(store), { kind: "queued", id: idOf(9), recipients: 2 });
  const detail = await store.get(idOf(9));
  assertEquals(detail?.recipients.map(({ forwardPath, state }) => `${forwardPath} ${state}`), [
    "r1@dest.example queued",
    "r2@dest.example queued",
  ]);
  assertEquals(await textOf(store, idOf(9)), TEXT);
  assertEquals(detail?.message.expiresAtMs, LATER_MS + 1_000_000);
  assertEquals(detail?.timeline.at(-1)?.detail, { by: "op", of: idOf(1) });
  assertEquals((await store.get(idOf(1)))?.timeline.at(-1)?.detail, { by: "op", as: idOf(9) });
});

forEachStore("it may be edited, sent to others and by another way", async (store) => {
  await putDone(store, 1, { states: ["failed"] });
  const message = encodeText("Subject: new\r\n\r\nEdited ü\r\n");
  const changes = { recipients: ["b@other.example"], reversePath: "", route: "backup", message };
  assertEquals((await again(store, changes)).kind, "queued");
  const { message: record, recipients } = (await store.get(idOf(9)))!;
  assertEquals(recipients.map(({ domain }) => domain), ["other.example"]);
  assertEquals([record.reversePath, record.route, record.summary.subject], ["", "backup", "new"]);
  assertEquals([record.body, record.prefix], ["8BITMIME", "Signed: yes\r\n"]);
  assertEquals(record.facts.sizeBytes, message.length + "Signed: yes\r\n".length);
  assertEquals(await textOf(store, idOf(9)), "Subject: new\r\n\r\nEdited ü\r\n");
});

forEachStore("what cannot be sent again is said", async (store) => {
  await putDone(store, 1, { states: ["delivered"] });
  const refused = (reason: string) => ({ kind: "refused", reason } as const);
  assertEquals(await again(store, { id: idOf(5) }), refused("there is no such message"));
  assertEquals(await again(store), refused("it reached all recipients; name its recipients"));
  const recipients = ["b@other.example"];
  assertEquals(await again(store, { recipients }), refused("its octets are not kept any more"));
  await putDone(store, 2, { states: ["failed"] });
  assertEquals((await again(store, { id: idOf(2), recipients: ["nowhere"] })).kind, "refused");
  for (const reversePath of ["a@b@c", "@x:a@b.example", "a b@c", "nobody"]) {
    assertEquals((await again(store, { id: idOf(2), reversePath })).kind, "refused", reversePath);
  }
  for (const text of ["Subject: x\r\n\r\na\rb\r\n", "Subject: x\r\n\r\na\0b\r\n", "a: b\r"]) {
    const result = await again(store, { id: idOf(2), message: encodeText(text) });
    assertEquals(result, refused("it has a bare CR or a NUL"));
  }
});

forEachStore("lines of an editor become lines of SMTP", async (store) => {
  await putDone(store, 1, { states: ["failed"] });
  const message = encodeText("Subject: x\n\n.\nMAIL FROM:<a@b.example>\r\nthe end");
  assertEquals((await again(store, { message })).kind, "queued");
  const text = "Subject: x\r\n\r\n.\r\nMAIL FROM:<a@b.example>\r\nthe end\r\n";
  assertEquals(await textOf(store, idOf(9)), text);
  const facts = (await store.get(idOf(9)))?.message.facts;
  assertEquals([facts?.lineOriented, facts?.dotLines], [true, 1]);
});
