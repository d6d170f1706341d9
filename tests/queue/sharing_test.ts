/** How much disk messages take that have octets in common. */
import { assert, assertEquals } from "@std/assert";
import { encodeText } from "../../src/base/bytes.ts";
import { bodyFacts } from "../../src/mail/body_facts.ts";
import { headerSection, readHeader } from "../../src/mail/headers.ts";
import { Intake } from "../../src/queue/intake.ts";
import type { FinalState, QueueStore } from "../../src/queue/store.ts";
import { textOf } from "./conformance/case.ts";
import { StoreFolder } from "./folder.ts";
import { claimOf, fixedClock, idOf, messageOf, NOW_MS, settlementOf } from "./messages.ts";

const LATER_MS = NOW_MS + 60_000;

async function spooled(store: QueueStore, octets: string) {
  const spool = store.spool();
  await spool.write(encodeText(octets));
  return { kind: "spool", name: await spool.finish() } as const;
}

async function end(store: QueueStore, number: number, state: FinalState): Promise<void> {
  const recipients = [{ index: 0, disposition: { kind: "final", state } as const }];
  await store.settle(settlementOf(number, { recipients }));
}

Deno.test("a shared spool file goes with the last message, kept ones and restarts included", async () => {
  await using folder = await StoreFolder.make();
  {
    await using store = await folder.open({ keepsFailed: true });
    const place = await spooled(store, "large");
    const put = [1, 2, 3].map((number) =>
      messageOf(number, { place: { ...place, head: encodeText(`${number} `) } })
    );
    await store.putAll(put);
    await store.claim(claimOf());
    await end(store, 1, "delivered");
    await end(store, 2, "failed");
    assertEquals(await folder.spooled(), [place.name]);
  }
  {
    await using store = await folder.open({ keepsFailed: true });
    assertEquals(await textOf(store, 2), "2 large");
    assertEquals(await textOf(store, 3), "3 large");
    await store.claim(claimOf({ nowMs: LATER_MS }));
    await end(store, 3, "delivered");
    assertEquals(await textOf(store, 2), "2 large");
    assertEquals(await store.dropBodies({ beforeMs: LATER_MS, limit: 10 }), 1);
  }
  assertEquals(await folder.spooled(), []);
  await using store = await folder.open();
  assertEquals(await store.count({}), 3);
});

Deno.test("shared inline octets stand in the database once, and leave nothing", async () => {
  await using folder = await StoreFolder.make();
  await using store = await folder.open({ keepsFailed: true });
  const bytes = encodeText("the same");
  const numbers = Array.from({ length: 50 }, (_, number) => number);
  await store.putAll(
    numbers.map((number) =>
      messageOf(number, { place: { kind: "inline", bytes, head: encodeText(`${number} `) } })
    ),
  );
  assertEquals(rows(folder), [1, 50, 1]);
  await store.claim(claimOf());
  for (const number of numbers) await end(store, number, number === 7 ? "expired" : "delivered");
  assertEquals(rows(folder), [1, 1, 1]);
  await store.purge({ beforeMs: LATER_MS, limit: 100 });
  assertEquals(rows(folder), [0, 0, 0]);
});

/** How many bodies, heads and shared octets there are. */
function rows(folder: StoreFolder): number[] {
  return ["bodies", "heads", "shared_octets"].map((table) => folder.rowCount(table));
}

function intakeOf(store: QueueStore): Intake {
  let ids = 0;
  return new Intake({
    ...{ store, clock: fixedClock(), emit: () => {}, newId: () => idOf(++ids) },
    scheduler: { reserve: () => null, unreserve() {}, enterReserved() {}, wake() {} },
    summarize: () => ({ subject: "", from: "", messageId: "" }),
    limits: { spoolThresholdBytes: 1_000_000, expireMs: 1_000_000 },
  });
}

const { origin, recipients } = messageOf(1);

/** Hands in messages as a request does: the header section, then the rest in pieces. */
async function handIn(intake: Intake, messages: readonly string[]) {
  const batch = intake.beginBatch(messages.length);
  for (const [at, text] of messages.entries()) {
    const octets = encodeText(text);
    const writer = batch.begin({
      ...{ origin, head: (id) => encodeText(`Received: ${id}\r\n`) },
      envelope: { reversePath: "", body: "7BIT", smtpUtf8: false, recipients },
    });
    const { bodyOffset } = headerSection(octets);
    const header = readHeader(octets.slice(0, bodyOffset));
    await writer.write(header.bytes, { header, mayAuthor: true });
    for (let start = bodyOffset; start < octets.length; start += 7_000 + at) {
      await writer.write(octets.subarray(start, Math.min(octets.length, start + 7_000 + at)));
    }
    await writer.finish(bodyFacts(octets));
  }
  return batch;
}

const BODY = "line of text that is long enough\r\n".repeat(1_000);

for (const [how, count] of [["in the database", 10], ["in a spool file", 600]] as const) {
  Deno.test(`a batch with the same content for everybody stores it once, ${how}`, async () => {
    await using folder = await StoreFolder.make();
    await using store = await folder.open();
    const messages = Array.from({ length: count }, (_, at) => `To: user${at}\r\n\r\n${BODY}`);
    const batch = await handIn(intakeOf(store), messages);
    assertEquals(await batch.commit(), { kind: "stored" });
    for (const at of [0, 1, count - 1]) {
      const head = `Received: ${idOf(at + 1)}\r\n`;
      assertEquals(await textOf(store, at + 1), head + messages[at]);
    }
    assertEquals((await folder.spooled()).length, count === 10 ? 0 : 1);
    assertEquals(rows(folder)[0], count === 10 ? 1 : 0);
  });
}

Deno.test("a batch tells contents apart wherever they differ", async () => {
  await using folder = await StoreFolder.make();
  await using store = await folder.open();
  const head = "Subject: x\r\n\r\n";
  const texts = [
    ...[BODY, BODY, `${BODY}more\r\n`, BODY.slice(0, -34), `x${BODY.slice(1)}`, BODY],
    ...[`${BODY.slice(0, 20_000)}X${BODY.slice(20_001)}`, "", "", BODY],
  ].map((body) => head + body);
  const batch = await handIn(intakeOf(store), texts);
  assertEquals(await batch.commit(), { kind: "stored" });
  for (const [at, text] of texts.entries()) {
    assertEquals(await textOf(store, at + 1), `Received: ${idOf(at + 1)}\r\n${text}`, `${at}`);
  }
  assert((rows(folder)[0] ?? 0) < texts.length);
});

Deno.test("a batch that is given up, or that the store refuses, leaves nothing", async () => {
  await using folder = await StoreFolder.make();
  await using store = await folder.open();
  const messages = Array.from({ length: 600 }, (_, at) => `To: user${at}\r\n\r\n${BODY}`);
  const given = await handIn(intakeOf(store), messages);
  assertEquals((await folder.spooled()).length, 1);
  await given.abort();
  assertEquals(await folder.spooled(), []);
  await store.put(messageOf(300));
  const refused = await handIn(intakeOf(store), messages);
  assertEquals((await refused.commit()).kind, "failed");
  assertEquals([await folder.spooled(), await store.count({})], [[], 1]);
});
