/** Spool files that no message names: those that one is about to name, and those that none will. */
import { assertEquals, assertRejects } from "@std/assert";
import { encodeText } from "../../src/base/bytes.ts";
import { bodyFacts } from "../../src/mail/body_facts.ts";
import { Intake } from "../../src/queue/intake.ts";
import { sendAgain } from "../../src/queue/send_again.ts";
import { handOn } from "../../src/feedback/hand_on.ts";
import { type BodyPlace, type QueueStore, StoreError } from "../../src/queue/store.ts";
import { textOf } from "./conformance/case.ts";
import { StoreFolder } from "./folder.ts";
import { claimOf, fixedClock, idOf, messageOf, NOW_MS, settlementOf } from "./messages.ts";
import { symbolicLink } from "../support/symbolic_link.ts";

const TEXT = "Subject: large\r\n\r\nText\r\n";

async function spooledPlace(store: QueueStore, text = TEXT): Promise<BodyPlace> {
  const spool = store.spool();
  await spool.write(encodeText(text));
  return { kind: "spool", name: await spool.finish() };
}

Deno.test("a relay that starts leaves the spool files of others who are about to name them", async () => {
  await using folder = await StoreFolder.make();
  await using tool = await folder.open({ mode: "tool" });
  const place = await spooledPlace(tool);
  const begun = tool.spool();
  await begun.write(encodeText("Subject: begun\r\n\r\n"));
  await using relay = await folder.open();
  await relay.purge({ beforeMs: 0, limit: 1 });
  await tool.put(messageOf(1, { place }));
  await begun.write(encodeText("Text\r\n"));
  const name = await begun.finish();
  await tool.put(messageOf(2, { place: { kind: "spool", name } }));
  assertEquals(await textOf(relay, 1), TEXT);
  assertEquals(await textOf(relay, 2), "Subject: begun\r\n\r\nText\r\n");
});

Deno.test("mail that comes in while a relay starts keeps its octets", async () => {
  await using folder = await StoreFolder.make();
  await using tool = await folder.open({ mode: "tool" });
  const numbers = Array.from({ length: 40 }, (_, number) => number);
  const importing = (async () => {
    for (const number of numbers) {
      await tool.put(messageOf(number, { place: await spooledPlace(tool) }));
    }
  })();
  for (let round = 0; round < 5; round++) {
    await using _relay = await folder.open();
  }
  await importing;
  for (const number of numbers) assertEquals(await textOf(tool, number), TEXT);
});

Deno.test("the spool file of a process that was killed goes, while the relay runs", async () => {
  await using folder = await StoreFolder.make();
  await using relay = await folder.open();
  const script = new URL("./children/spool_until_killed.ts", import.meta.url).pathname;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "--allow-read", "--allow-write", script, folder.path],
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  await reader.read();
  await relay.put(messageOf(1, { place: await spooledPlace(relay) }));
  await relay.purge({ beforeMs: 0, limit: 1 });
  assertEquals((await folder.spooled()).length, 2);
  child.kill("SIGKILL");
  await reader.cancel();
  await child.status;
  await relay.purge({ beforeMs: 0, limit: 1 });
  assertEquals((await folder.spooled()).length, 1);
  assertEquals(await textOf(relay, 1), TEXT);
});

Deno.test("a message that is refused takes its spool file with it", async () => {
  await using folder = await StoreFolder.make();
  await using store = await folder.open();
  await store.put(messageOf(1));
  const again = messageOf(1, { place: await spooledPlace(store) });
  await assertRejects(() => store.put(again), StoreError);
  assertEquals(await folder.spooled(), []);
  const batch = [messageOf(2, { place: await spooledPlace(store) }), messageOf(1)];
  await assertRejects(() => store.putAll(batch), StoreError);
  assertEquals(await folder.spooled(), []);
});

/** Makes every transaction fail that stores a message, until the function is called. */
function refuseMessages(folder: StoreFolder): () => void {
  folder.sql(`CREATE TRIGGER refuse BEFORE INSERT ON messages BEGIN
    SELECT raise(ABORT, 'no more'); END`);
  return () => folder.sql("DROP TRIGGER refuse");
}

function intakeOf(store: QueueStore): Intake {
  let ids = 100;
  return new Intake({
    ...{ store, clock: fixedClock(), emit: () => {}, newId: () => idOf(++ids) },
    scheduler: { reserve: () => null, unreserve() {}, enterReserved() {}, wake() {} },
    summarize: () => ({ subject: "", from: "", messageId: "" }),
    limits: { spoolThresholdBytes: 10, expireMs: 1_000_000 },
  });
}

const { origin, recipients } = messageOf(1);
const INCOMING = {
  origin,
  envelope: { reversePath: "", body: "7BIT", smtpUtf8: false, recipients },
  head: () => new Uint8Array(0),
} as const;

Deno.test("no way into the queue leaves a spool file behind when the store refuses", async () => {
  await using folder = await StoreFolder.make();
  await using store = await folder.open({ keepsFailed: true });
  await store.put(messageOf(1));
  await store.claim(claimOf());
  const failed = { kind: "final", state: "failed" } as const;
  await store.settle(settlementOf(1, { recipients: [{ index: 0, disposition: failed }] }));
  const accept = refuseMessages(folder);
  const octets = encodeText(TEXT);
  const facts = bodyFacts(octets);
  const intake = intakeOf(store);

  const writer = intake.begin(INCOMING);
  await writer.write(octets);
  assertEquals((await writer.commit(facts)).kind, "failed");
  assertEquals(await folder.spooled(), [], "a message");

  const batch = intake.beginBatch(2);
  for (let part = 0; part < 2; part++) {
    const one = batch.begin(INCOMING);
    await one.write(octets);
    await one.finish(facts);
  }
  assertEquals((await batch.commit()).kind, "failed");
  assertEquals(await folder.spooled(), [], "a batch");

  const services = { store, newId: () => idOf(9), nowMs: NOW_MS, spoolThresholdBytes: 1 };
  const again = { id: idOf(1), by: "op" };
  await assertRejects(() => sendAgain(again, { ...services, expireMs: 1 }), StoreError);
  assertEquals(await folder.spooled(), [], "sent again");
  const sign = () => Promise.reject(new Error("no key"));
  await assertRejects(() =>
    sendAgain({ ...again, message: octets }, { ...services, expireMs: 1, sign })
  );
  assertEquals(await folder.spooled(), [], "sent again, and not signed");

  const body = await store.body(idOf(1)) ?? [];
  const request = { message: messageOf(1), octets: body as AsyncIterable<Uint8Array> };
  await assertRejects(() =>
    handOn({ ...request, to: "a@b.example" }, { ...services, lifetimeMs: 1 })
  );
  assertEquals(await folder.spooled(), [], "handed on");

  accept();
  const next = intake.begin(INCOMING);
  await next.write(octets);
  assertEquals((await next.commit(facts)).kind, "stored");
  await next.abort();
  assertEquals((await folder.spooled()).length, 1);
});

Deno.test("a message whose spool file is gone is refused", async () => {
  await using folder = await StoreFolder.make();
  await using store = await folder.open();
  const place = await spooledPlace(store);
  for (const name of await folder.spooled()) await Deno.remove(`${folder.path}/spool/${name}`);
  await assertRejects(() => store.put(messageOf(1, { place })), StoreError);
  assertEquals(await store.count({}), 0);
});

Deno.test("a link in the spool folder is no message", async () => {
  await using folder = await StoreFolder.make();
  await using store = await folder.open();
  const place = await spooledPlace(store);
  if (place.kind !== "spool") throw new Error("not in the spool folder");
  await store.put(messageOf(1, { place }));
  const path = `${folder.path}/spool/${place.name}`;
  await Deno.rename(path, `${folder.path}/secret`);
  await symbolicLink(`${folder.path}/secret`, path);
  const error = await assertRejects(() => textOf(store, 1), StoreError);
  assertEquals(error.kind, "corrupt");
});
