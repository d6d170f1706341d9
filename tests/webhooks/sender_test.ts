import { assert, assertEquals } from "@std/assert";
import { createHash, createHmac } from "node:crypto";
import type { OutboxEvent } from "../../src/queue/outbox.ts";
import { openMemoryStore } from "../../src/queue/memory/store.ts";
import { WebhookSender, type WebhookTarget } from "../../src/webhooks/sender.ts";
import { ManualClock } from "../support/manual_clock.ts";

const TARGET: WebhookTarget = {
  ...{ name: "crm", url: "https://crm.test/in", secret: "key", maxEvents: 2, timeoutMs: 1_000 },
  events: ["accepted", "delivered"],
};

interface Told {
  readonly headers: Headers;
  readonly text: string;
  readonly ids: number[];
}

/** A webhook whose answers a test decides; what it was told is kept. */
function bench(answers: (number | "cut" | "silence")[] = [], target = TARGET) {
  const clock = new ManualClock();
  const { outbox } = openMemoryStore({ clock });
  const told: Told[] = [];
  const fetch = (_url: string, init: RequestInit): Promise<Response> => {
    const text = String(init.body);
    const ids = JSON.parse(text).events.map(({ id }: { id: number }) => id);
    told.push({ headers: new Headers(init.headers), text, ids });
    const answer = answers.shift() ?? 204;
    if (answer === "cut") return Promise.reject(new TypeError("connection closed"));
    if (answer !== "silence") return Promise.resolve(new Response(null, { status: answer }));
    return new Promise((_, reject) =>
      init.signal?.addEventListener("abort", () => reject(new Error("aborted")))
    );
  };
  const sender = new WebhookSender(target, { outbox, fetch, clock, events: () => {} });
  return { clock, outbox, told, sender };
}

function event(type: string, messageId = "M1"): OutboxEvent {
  return { messageId, atMs: 0, type, body: JSON.stringify({ type, message: { id: messageId } }) };
}

Deno.test("webhook: is told of what comes, in order, and of nothing else", async () => {
  const { clock, outbox, told, sender } = bench();
  await outbox.append([event("accepted", "M0")]); // before anybody asked to be told
  await sender.start();
  await clock.advance(0);
  assertEquals(told, []);
  await outbox.append(["accepted", "deferred", "delivered", "accepted"].map((type) => event(type)));
  sender.wake();
  await clock.advance(0);
  assertEquals(told.map(({ ids }) => ids), [[2], [4, 5]]);
  assertEquals(JSON.parse(told[0]?.text ?? "").events[0].type, "accepted");
  assertEquals(await outbox.reached("crm"), 5);
  await sender[Symbol.asyncDispose]();
});

Deno.test("webhook: one that is new is told of what comes right after its start", async () => {
  const { clock, outbox, told, sender } = bench();
  const placeBefore = outbox.placeBefore.bind(outbox);
  // As slow as a store that is busy.
  Object.assign(outbox, {
    placeBefore: async () => {
      for (let turn = 0; turn < 10; turn++) await Promise.resolve();
      return await placeBefore();
    },
  });
  await sender.start();
  await outbox.append([event("accepted")]);
  sender.wake();
  await clock.advance(0);
  assertEquals(told.map(({ ids }) => ids), [[1]]);
  await sender[Symbol.asyncDispose]();
});

Deno.test("webhook: a request is signed over its time, its id and its body", async () => {
  const { clock, outbox, told, sender } = bench();
  await sender.start();
  await clock.advance(0);
  await outbox.append([event("accepted")]);
  sender.wake();
  await clock.advance(0);
  const { headers, text } = told[0] ?? { headers: new Headers(), text: "" };
  const timestamp = headers.get("x-posthouse-timestamp");
  assertEquals(timestamp, String(clock.now() / 1000));
  const bodyHash = createHash("sha256").update(text).digest("hex");
  const signed = `${timestamp}\n${headers.get("x-posthouse-id")}\n\n\n${bodyHash}`;
  const signature = createHmac("sha256", "key").update(signed).digest("hex");
  assertEquals(headers.get("x-posthouse-signature"), `v1=${signature}`);
  await sender[Symbol.asyncDispose]();
});

Deno.test("webhook: what was not taken is told again, with growing waits, before what follows", async () => {
  const { clock, outbox, told, sender } = bench([500, "cut", "silence", 200]);
  await sender.start();
  await clock.advance(0);
  await outbox.append([event("accepted"), event("delivered")]);
  sender.wake();
  await clock.advance(0);
  await outbox.append([event("accepted", "M2")]);
  sender.wake();
  await clock.advance(0);
  assertEquals(told.length, 1, "no new event makes it ask sooner");
  await clock.advance(1_000);
  assertEquals(told.length, 2);
  await clock.advance(2_000);
  assertEquals(told.length, 3);
  await clock.advance(1_000 + 4_000);
  assertEquals(told.map(({ ids }) => ids), [[1, 2], [1, 2], [1, 2], [1, 2], [3]]);
  const { items } = await outbox.calls({ limit: 10 });
  assertEquals(items.map(({ status, error }) => [status, error]).reverse(), [
    [500, "It answered 500"],
    [null, "connection closed"],
    [null, "It took too long"],
    [200, ""],
    [204, ""],
  ]);
  assertEquals(sender.health.lastError, null);
  await sender[Symbol.asyncDispose]();
});

Deno.test("webhook: how far it has come outlives the process, and can be moved back", async () => {
  const { clock, outbox, told, sender } = bench();
  await sender.start();
  await clock.advance(0);
  await outbox.append([event("accepted")]);
  sender.wake();
  await clock.advance(0);
  await sender[Symbol.asyncDispose]();
  await outbox.append([event("delivered")]);

  const later = new WebhookSender(TARGET, {
    ...{ outbox, clock, events: () => {} },
    fetch: (_url, init) => {
      const ids = JSON.parse(String(init.body)).events.map(({ id }: { id: number }) => id);
      told.push({ headers: new Headers(), text: "", ids });
      return Promise.resolve(new Response(null, { status: 200 }));
    },
  });
  await later.start();
  await clock.advance(0);
  assertEquals(told.map(({ ids }) => ids), [[1], [2]]);
  await later.replay(0);
  await clock.advance(0);
  assertEquals(told.map(({ ids }) => ids), [[1], [2], [1, 2]]);
  assert(later.health.lastSuccessAtMs !== null);
  await later[Symbol.asyncDispose]();
});

Deno.test("webhook: a replay that is asked for while a request is under way is not lost", async () => {
  const { clock, outbox, told, sender } = bench(["silence", 204, 204]);
  await sender.start();
  await clock.advance(0);
  await outbox.append([event("accepted"), event("delivered")]);
  sender.wake();
  await clock.advance(0);
  const move = outbox.move.bind(outbox);
  const isMovable = Promise.withResolvers<void>();
  outbox.move = async (webhook, place) => {
    await isMovable.promise;
    await move(webhook, place);
  };
  const replayed = sender.replay(0);
  await clock.advance(1_000); // the request fails, and is repeated before the place is moved
  await clock.advance(1_000);
  isMovable.resolve();
  await replayed;
  await clock.advance(0);
  assertEquals(told.at(-1)?.ids, [1, 2]);
  assertEquals(await outbox.reached("crm"), 2);
  assert(told.length >= 3);
  await sender[Symbol.asyncDispose]();
});
