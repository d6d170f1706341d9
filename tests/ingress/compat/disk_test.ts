/** What one request for many recipients takes of the disk. */
import { assert, assertEquals } from "@std/assert";
import { encodeText } from "../../../src/base/bytes.ts";
import { seededRandom } from "../../../src/base/random.ts";
import { createCompatApp } from "../../../src/ingress/compat/app.ts";
import { RequestKeys } from "../../../src/ingress/request_keys.ts";
import { MessageSubmitter } from "../../../src/ingress/submitter.ts";
import { Intake } from "../../../src/queue/intake.ts";
import type { QueueStore } from "../../../src/queue/store.ts";
import { OPEN_POLICY } from "../../../src/reception/policy.ts";
import { StoreFolder } from "../../queue/folder.ts";
import { fixedClock, idOf } from "../../queue/messages.ts";
import { CLIENT, KEY } from "./desk_setup.ts";

const MESSAGE_BYTES = 1_000_000;
const ATTACHMENT_BYTES = 300_000;
const RECIPIENTS = 100;

function submitterOver(store: QueueStore): MessageSubmitter {
  const clock = fixedClock();
  let ids = 0;
  const intake = new Intake({
    ...{ store, clock, emit: () => {}, newId: () => idOf(++ids) },
    scheduler: { reserve: () => null, unreserve() {}, enterReserved() {}, wake() {} },
    summarize: () => ({ subject: "", from: "", messageId: "" }),
    limits: { spoolThresholdBytes: 100_000, expireMs: 1_000_000 },
  });
  return new MessageSubmitter({
    ...{ clock, aliases: () => null, policy: () => OPEN_POLICY, events: () => {} },
    sink: { beginBatch: (count) => intake.beginBatch(count) },
    limits: () => ({
      ...{ hostname: "relay.test", messageBytes: MESSAGE_BYTES },
      ...{ recipients: 10, hops: 10, maxHoldMs: 0 },
    }),
    keys: new RequestKeys({
      ...{ shelf: store.shelf, now: () => clock.now() },
      isStored: () => Promise.resolve(true),
    }),
  });
}

async function send(store: QueueStore): Promise<number> {
  const personalizations = Array.from({ length: RECIPIENTS }, (_, number) => ({
    to: [{ email: `user${number}@dest.test` }],
    subject: `Hello user ${number}`,
  }));
  const content = new Uint8Array(ATTACHMENT_BYTES).fill(65).toBase64();
  const app = createCompatApp({
    ...{
      submitter: submitterOver(store),
      clock: fixedClock(),
      random: seededRandom(1),
      events: () => {},
    },
    keys: { verify: () => Promise.resolve(KEY), sharedSecret: () => null },
    failures: { waitMs: () => 0, fail: () => {} },
  });
  const response = await app.request(
    "http://relay.test/compat/sendgrid/v3/mail/send",
    {
      method: "POST",
      headers: { authorization: "Bearer good", "content-type": "application/json" },
      body: JSON.stringify({
        ...{ personalizations, from: { email: "a@shop.test" }, subject: "Hello" },
        content: [{ type: "text/plain", value: "The same for everybody" }],
        attachments: [{ content, filename: "a.bin" }],
      }),
    },
    { peer: { kind: "tcp", address: CLIENT } },
  );
  await response.body?.cancel();
  return response.status;
}

async function sizeOf(path: string): Promise<number> {
  const { isDirectory, size } = await Deno.stat(path);
  if (!isDirectory) return size;
  let total = 0;
  for await (const { name } of Deno.readDir(path)) total += await sizeOf(`${path}/${name}`);
  return total;
}

Deno.test("a letter to many people, each by name in its header, stands on disk once", async () => {
  await using folder = await StoreFolder.make();
  await using store = await folder.open();
  assertEquals(await send(store), 202);
  assertEquals(await store.count({}), RECIPIENTS);
  assertEquals((await folder.spooled()).length, 1);
  const bytes = await sizeOf(folder.path);
  assert(bytes < 6 * ATTACHMENT_BYTES, `${bytes} octets`);
});

Deno.test("messages that all differ may not take more than a request is allowed", async () => {
  await using folder = await StoreFolder.make();
  await using store = await folder.open();
  const messages = Array.from({ length: 20 }, (_, number) => ({
    ...{ from: "a@shop.test", to: ["b@dest.test"] },
    message: encodeText(`Subject: x\r\n\r\n${number} ${"x".repeat(70)}\r\n`.repeat(3_000)),
  }));
  const by = { user: null, senders: null, clientAddress: CLIENT };
  const result = await submitterOver(store).submitAll({ by, messages });
  assert(result.kind === "refused", result.kind);
  assertEquals([result.reply.code, result.reply.enhanced], [552, "5.3.4"]);
  assert(result.index > 0);
  assertEquals([await store.count({}), await folder.spooled()], [0, []]);
});

Deno.test("while a request for many is taken, others have their turn", async () => {
  await using folder = await StoreFolder.make();
  await using store = await folder.open();
  let turns = 0;
  const timer = setInterval(() => turns += 1);
  try {
    assertEquals(await send(store), 202);
  } finally {
    clearInterval(timer);
  }
  assert(turns > RECIPIENTS / 2, `${turns} turns`);
});
