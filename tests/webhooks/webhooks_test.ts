/** Several webhooks over one outbox: what a reload, an event, an error and an end do to them. */
import { assertEquals, assertRejects } from "@std/assert";
import type { RelayEvent } from "../../src/observe/events.ts";
import { openMemoryStore } from "../../src/queue/memory/store.ts";
import type { OutboxEvent } from "../../src/queue/outbox.ts";
import { WebhookSender, type WebhookTarget } from "../../src/webhooks/sender.ts";
import { Webhooks } from "../../src/webhooks/webhooks.ts";
import { ManualClock, settle } from "../support/manual_clock.ts";

const CRM: WebhookTarget = {
  ...{ name: "crm", url: "https://crm.test/", secret: null, events: ["accepted"] },
  ...{ maxEvents: 10, timeoutMs: 1_000 },
};
const OTHER: WebhookTarget = { ...CRM, name: "other", url: "https://other.test/" };

function event(type = "accepted"): OutboxEvent {
  return { messageId: "M1", atMs: 0, type, body: JSON.stringify({ type }) };
}

function bench(answers: (number | Error)[] = []) {
  const clock = new ManualClock();
  const { outbox } = openMemoryStore({ clock });
  const calls: { url: string; body: string; init: RequestInit }[] = [];
  const events: RelayEvent[] = [];
  const webhooks = new Webhooks({
    ...{ outbox, clock, events: (event) => events.push(event) },
    fetch: (url, init) => {
      calls.push({ url, body: String(init.body), init });
      const answer = answers.shift() ?? 204;
      return answer instanceof Error
        ? Promise.reject(answer)
        : Promise.resolve(new Response(null, { status: answer }));
    },
  });
  return { clock, outbox, calls, events, webhooks };
}

Deno.test("webhooks: each is told by itself, and looks when something was written", async () => {
  const { clock, outbox, calls, webhooks } = bench();
  assertEquals([webhooks.isEmpty, webhooks.outbox === outbox], [true, true]);
  await webhooks.use([CRM, OTHER]);
  assertEquals([webhooks.isEmpty, webhooks.senders.length], [false, 2]);
  assertEquals([webhooks.find("crm")?.target.name, webhooks.find("none")], ["crm", null]);
  await clock.advance(0);
  await outbox.append([event()]);
  webhooks.sink({ type: "accepted", messageId: "M1" } as RelayEvent);
  await clock.advance(0);
  assertEquals(calls.map(({ url }) => url).sort(), ["https://crm.test/", "https://other.test/"]);
  await webhooks[Symbol.asyncDispose]();
});

Deno.test("webhooks: what is no news of a message wakes nobody; within ten seconds they look", async () => {
  const { clock, outbox, calls, webhooks } = bench();
  await webhooks.use([CRM]);
  await clock.advance(0);
  await outbox.append([event()]);
  webhooks.sink({ type: "trouble", level: "error", component: "x", message: "x" } as RelayEvent);
  await clock.advance(9_999);
  assertEquals(calls.length, 0);
  await clock.advance(1);
  assertEquals(calls.length, 1);
  await webhooks[Symbol.asyncDispose]();
});

Deno.test("webhooks: what an operator did wakes them", async () => {
  const { clock, outbox, calls, webhooks } = bench();
  await webhooks.use([CRM]);
  await clock.advance(0);
  await outbox.append([event()]);
  webhooks.sink({ type: "operated" } as RelayEvent);
  await clock.advance(0);
  assertEquals(calls.length, 1);
  await webhooks[Symbol.asyncDispose]();
});

Deno.test("webhooks: a reload keeps those that stay as they are, ends the others, starts new ones", async () => {
  const { clock, outbox, calls, webhooks } = bench();
  await webhooks.use([CRM, OTHER]);
  const [kept, ended] = [webhooks.find("crm"), webhooks.find("other")];
  await webhooks.use([{ ...CRM }, { ...OTHER, url: "https://new.test/" }]);
  assertEquals([webhooks.find("crm") === kept, webhooks.find("other") === ended], [true, false]);
  await clock.advance(0);
  await outbox.append([event()]);
  webhooks.look();
  await clock.advance(0);
  assertEquals(calls.map(({ url }) => url).sort(), ["https://crm.test/", "https://new.test/"]);
  await webhooks.use([]);
  await outbox.append([event()]);
  webhooks.look();
  await clock.advance(20_000);
  assertEquals([calls.length, webhooks.isEmpty], [2, true]);
});

Deno.test("webhooks: an outbox that cannot be written is told, and tried again at the next news", async () => {
  const { clock, outbox, calls, events, webhooks } = bench();
  await webhooks.use([CRM]);
  await clock.advance(0);
  const append = outbox.append.bind(outbox);
  const cause = new Error("disk");
  outbox.append = () => Promise.reject(cause);
  webhooks.look();
  await settle();
  assertEquals(events, [{
    ...{ type: "trouble", level: "error", component: "webhooks", cause },
    message: "Cannot look for events for webhooks",
  }]);
  outbox.append = append;
  await outbox.append([event()]);
  webhooks.look();
  await clock.advance(0);
  assertEquals(calls.length, 1);
  await webhooks[Symbol.asyncDispose]();
});

Deno.test("webhooks: news that come while they are announced are announced, too", async () => {
  const { outbox, webhooks } = bench();
  await webhooks.use([CRM]);
  let appends = 0;
  const first = Promise.withResolvers<void>();
  outbox.append = () => {
    appends++;
    return appends === 1 ? first.promise : Promise.resolve();
  };
  for (let time = 0; time < 5; time++) webhooks.look();
  assertEquals(appends, 1);
  first.resolve();
  await settle();
  assertEquals(appends, 2);
  await webhooks[Symbol.asyncDispose]();
});

Deno.test("webhooks: the end waits for what is under way", async () => {
  const { outbox, webhooks } = bench();
  await webhooks.use([CRM]);
  const writing = Promise.withResolvers<void>();
  outbox.append = () => writing.promise;
  webhooks.look();
  let isDone = false;
  const ending = webhooks[Symbol.asyncDispose]().then(() => isDone = true);
  await settle();
  assertEquals(isDone, false);
  writing.resolve();
  await ending;
});

Deno.test("webhook sender: waits double from a second to ten minutes, and start anew after success", async () => {
  const { clock, outbox, calls, webhooks } = bench(Array(12).fill(500));
  await webhooks.use([CRM]);
  await clock.advance(0);
  await outbox.append([event()]);
  webhooks.look();
  await clock.advance(0);
  const waits = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600];
  for (const [index, seconds] of waits.entries()) {
    assertEquals(calls.length, index + 1);
    await clock.advance(seconds * 1000 - 1);
    assertEquals(calls.length, index + 1, `wait ${index}`);
    await clock.advance(1);
  }
  assertEquals(calls.length, 13);
  await clock.advance(0);
  await outbox.append([event()]);
  webhooks.look();
  await clock.advance(0);
  assertEquals(calls.length, 14, "no wait is left");
  await webhooks[Symbol.asyncDispose]();
});

Deno.test("webhook sender: its health is the last error, until a success", async () => {
  const { clock, outbox, webhooks } = bench([500, new Error("cut")]);
  await webhooks.use([CRM]);
  const sender = webhooks.find("crm");
  assertEquals(sender?.health, { lastError: null, lastSuccessAtMs: null });
  await clock.advance(0);
  await outbox.append([event()]);
  webhooks.look();
  const startMs = clock.now();
  await clock.advance(0);
  assertEquals(sender?.health.lastError, { text: "It answered 500", atMs: startMs });
  await clock.advance(1_000);
  assertEquals(sender?.health.lastError, { text: "cut", atMs: startMs + 1_000 });
  await clock.advance(2_000);
  assertEquals(sender?.health, { lastError: null, lastSuccessAtMs: startMs + 3_000 });
  await webhooks[Symbol.asyncDispose]();
});

Deno.test("webhook sender: a call is on record with its places, its types and its time", async () => {
  const { clock, outbox, webhooks } = bench();
  await webhooks.use([{ ...CRM, events: ["accepted", "delivered"], maxEvents: 3 }]);
  await clock.advance(0);
  await outbox.append(["deferred", "accepted", "delivered", "accepted"].map((type) => event(type)));
  webhooks.look();
  await clock.advance(0);
  const { items } = await outbox.calls({ limit: 10 });
  assertEquals(
    items.map(({ firstPlace, lastPlace, types, status, webhook }) => [
      ...[firstPlace, lastPlace, types, status, webhook],
    ]),
    [[4, 4, ["accepted"], 204, "crm"], [2, 3, ["accepted", "delivered"], 204, "crm"]],
  );
  await webhooks[Symbol.asyncDispose]();
});

Deno.test("webhook sender: what nobody wants is passed over in the outbox", async () => {
  const { clock, outbox, calls, webhooks } = bench();
  await webhooks.use([CRM]);
  await clock.advance(0);
  await outbox.append([event("deferred"), event("deferred")]);
  webhooks.look();
  await clock.advance(0);
  assertEquals([await outbox.reached("crm"), calls.length], [2, 0]);
  await webhooks[Symbol.asyncDispose]();
});

Deno.test("webhook sender: an outbox that cannot be read is told and looked at again", async () => {
  const { clock, outbox, calls, events, webhooks } = bench();
  await webhooks.use([CRM]);
  await clock.advance(0);
  const read = outbox.read.bind(outbox);
  const cause = new Error("disk");
  outbox.read = () => Promise.reject(cause);
  await outbox.append([event()]);
  webhooks.look();
  await clock.advance(0);
  assertEquals(events, [{
    ...{ type: "trouble", level: "error", component: "webhooks", cause },
    message: "Cannot send events to webhook crm",
  }]);
  outbox.read = read;
  await clock.advance(1_000);
  assertEquals(calls.length, 1);
  await webhooks[Symbol.asyncDispose]();
});

Deno.test("webhook sender: a request says who asks, follows no redirect, and ends with the relay", async () => {
  const { clock, outbox, webhooks } = bench();
  const started = Promise.withResolvers<RequestInit>();
  const hanging = new Webhooks({
    ...{ outbox, clock, events: () => {} },
    fetch: (_url, init) => {
      started.resolve(init);
      return new Promise((_, reject) =>
        init.signal?.addEventListener("abort", () => reject(new Error("aborted")))
      );
    },
  });
  await hanging.use([CRM]);
  await clock.advance(0);
  await outbox.append([event()]);
  hanging.look();
  const { method, redirect, headers, signal } = await started.promise;
  const fields = new Headers(headers);
  assertEquals([method, redirect, fields.get("content-type"), fields.get("user-agent")], [
    ...["POST", "manual", "application/json", "Posthouse"],
  ]);
  assertEquals([fields.get("x-posthouse-id"), fields.has("x-posthouse-signature")], ["1-1", false]);
  await hanging[Symbol.asyncDispose]();
  assertEquals(signal?.aborted, true);
  const { items: [call] } = await outbox.calls({ limit: 10 });
  assertEquals([call?.status, call?.error], [null, "The relay stopped"]);
  assertEquals(clock.nextTimerAtMs, null, "no timer is left");
  await webhooks[Symbol.asyncDispose]();
});

Deno.test("webhook sender: one that is started twice at once tells everything once", async () => {
  const { clock, outbox, events } = bench();
  let calls = 0;
  const sender = new WebhookSender(CRM, {
    ...{ outbox, clock, events: (event) => events.push(event) },
    fetch: () => {
      calls++;
      return Promise.resolve(new Response(null, { status: 204 }));
    },
  });
  await Promise.all([sender.start(), sender.start()]);
  await clock.advance(0);
  await outbox.append([event()]);
  await clock.advance(10_000);
  assertEquals(calls, 1);
  await sender[Symbol.asyncDispose]();
  assertEquals(clock.nextTimerAtMs, null, "nobody is left waiting");
});

/** A sender by itself, whose requests `fetch` answers. */
function senderBench(
  options: Partial<ConstructorParameters<typeof WebhookSender>[1]> = {},
  target: WebhookTarget = CRM,
) {
  const clock = new ManualClock();
  const { outbox } = openMemoryStore({ clock });
  const calls: string[] = [];
  const fetch = (url: string): Promise<Response> => {
    calls.push(url);
    return Promise.resolve(new Response(null, { status: 204 }));
  };
  const sender = new WebhookSender(target, { outbox, clock, fetch, events: () => {}, ...options });
  return { clock, outbox, calls, sender };
}

Deno.test("webhook sender: one that ends while it reads asks nobody any more", async () => {
  const { clock, outbox, calls, sender } = senderBench();
  await sender.start();
  await clock.advance(0);
  await outbox.append([event()]);
  const read = outbox.read.bind(outbox);
  const reading = Promise.withResolvers<void>();
  outbox.read = async (options) => {
    await reading.promise;
    return await read(options);
  };
  sender.wake();
  await clock.advance(10_000);
  const ended = sender[Symbol.asyncDispose]();
  reading.resolve();
  await ended;
  assertEquals([calls, clock.timers], [[], 0]);
});

Deno.test("webhook sender: a store that does not answer at the start delays it, and no more", async () => {
  const { clock, outbox, calls, sender } = senderBench();
  const reached = outbox.reached.bind(outbox);
  outbox.reached = () => Promise.reject(new Error("disk"));
  await sender.start();
  await clock.advance(0);
  outbox.reached = reached;
  await clock.advance(1_000);
  await outbox.append([event()]);
  await clock.advance(10_000);
  assertEquals(calls.length, 1);
  await sender[Symbol.asyncDispose]();
});

Deno.test("webhook sender: a replay that the store refuses is refused, and spoils nothing", async () => {
  const { clock, outbox, calls, sender } = senderBench();
  await sender.start();
  await clock.advance(0);
  await outbox.append([event()]);
  sender.wake();
  await clock.advance(0);
  const move = outbox.move.bind(outbox);
  outbox.move = () => Promise.reject(new Error("disk"));
  await assertRejects(() => sender.replay(0), Error, "disk");
  outbox.move = move;
  await outbox.append([event()]);
  sender.wake();
  await clock.advance(0);
  assertEquals([calls.length, await outbox.reached("crm")], [2, 2]);
  await sender[Symbol.asyncDispose]();
});

Deno.test("webhook sender: a replay does not wait for a repetition, which begins anew", async () => {
  let status = 500;
  let calls = 0;
  const { clock, outbox, sender } = senderBench({
    fetch: () => {
      calls++;
      return Promise.resolve(new Response(null, { status }));
    },
  });
  await sender.start();
  await clock.advance(0);
  await outbox.append([event()]);
  sender.wake();
  await clock.advance(0);
  await clock.advance(3_000); // at 0, 1 and 3 seconds
  assertEquals(calls, 3);
  await sender.replay(0);
  await clock.advance(0);
  assertEquals(calls, 4);
  await clock.advance(999);
  assertEquals(calls, 4);
  status = 204;
  await clock.advance(1);
  assertEquals(calls, 5);
  await sender[Symbol.asyncDispose]();
});

Deno.test("webhook sender: without private addresses it asks by the public way alone", async () => {
  for (const privateAddresses of [undefined, true, false]) {
    const ways: string[] = [];
    const way = (name: string) => () => {
      ways.push(name);
      return Promise.resolve(new Response(null, { status: 204 }));
    };
    const { clock, outbox, sender } = senderBench(
      { fetch: way("any"), publicFetch: way("public") },
      privateAddresses === undefined ? CRM : { ...CRM, privateAddresses },
    );
    await sender.start();
    await clock.advance(0);
    await outbox.append([event()]);
    sender.wake();
    await clock.advance(0);
    assertEquals(ways, [privateAddresses === false ? "public" : "any"]);
    await sender[Symbol.asyncDispose]();
  }
});

Deno.test("webhook sender: a call is on record with how long it took", async () => {
  const clock = new ManualClock();
  const { outbox } = openMemoryStore({ clock });
  const answered = Promise.withResolvers<Response>();
  const sender = new WebhookSender(CRM, {
    ...{ outbox, clock, events: () => {}, fetch: () => answered.promise },
  });
  await sender.start();
  await clock.advance(0);
  await outbox.append([event()]);
  sender.wake();
  await clock.advance(0);
  await clock.advance(700);
  answered.resolve(new Response("taken", { status: 200 }));
  await settle();
  assertEquals((await outbox.calls({ limit: 10 })).items[0]?.durationMs, 700);
  await sender[Symbol.asyncDispose]();
});
