import { assertEquals, assertRejects } from "@std/assert";
import type { OutboxCall, OutboxEvent } from "../../../src/queue/outbox.ts";
import type { QueueStore } from "../../../src/queue/store.ts";
import { claimOf, idOf, messageOf, NOW_MS, recipientOf, settlementOf } from "../messages.ts";
import { detailOf, type StoreCase } from "./case.ts";

function eventOf(type: string, { atMs = NOW_MS, number = 1 } = {}): OutboxEvent {
  return { messageId: idOf(number), atMs, type, body: `{"type":"${type}"}` };
}

function callOf(webhook: string, { status = 200 }: { status?: number | null } = {}): OutboxCall {
  return {
    ...{ webhook, status, atMs: NOW_MS, firstPlace: 1, lastPlace: 3, durationMs: 12 },
    types: ["accepted", "delivered"],
    error: status === 200 ? "" : "no answer",
  };
}

async function typesAfter(store: QueueStore, after: number): Promise<string[]> {
  return (await store.outbox.read({ after, limit: 10 })).map(({ type }) => type);
}

export const outboxCases: readonly StoreCase[] = [
  {
    title: "outbox: events are read in the order in which they came",
    async run(store) {
      assertEquals(await store.outbox.placeBefore(), 0);
      await store.outbox.append([eventOf("accepted"), eventOf("deferred")]);
      await store.outbox.append([eventOf("delivered")]);
      const events = await store.outbox.read({ after: 0, limit: 2 });
      assertEquals(events.map(({ place: _, ...event }) => event), [
        eventOf("accepted"),
        eventOf("deferred"),
      ]);
      assertEquals(await typesAfter(store, events[1]?.place ?? -1), ["delivered"]);
    },
  },
  {
    title: "outbox: what comes with a message is there exactly if the message is",
    async run(store) {
      await store.put({ ...messageOf(1), events: [eventOf("accepted")] });
      await assertRejects(() => store.put({ ...messageOf(1), events: [eventOf("accepted")] }));
      assertEquals(await typesAfter(store, 0), ["accepted"]);
      const { message } = await detailOf(store, 1);
      assertEquals("events" in message, false);
    },
  },
  {
    title: "outbox: what comes with a settlement is there with it",
    async run(store) {
      await store.put(messageOf(1));
      await store.claim(claimOf());
      await store.settle({ ...settlementOf(1), events: [eventOf("delivered")] });
      assertEquals(await typesAfter(store, 0), ["delivered"]);
    },
  },
  {
    title: "outbox: what a command tells of each message it changes is there with it",
    async run(store) {
      await store.put(messageOf(1));
      await store.put(messageOf(2, { to: [recipientOf("a@dest.example", { state: "held" })] }));
      const event = { type: "held", detail: { by: "ada" } };
      const request = { filter: {}, command: { kind: "hold" }, nowMs: NOW_MS, by: "ada" } as const;
      assertEquals(await store.command({ ...request, event }), 1);
      const [told, ...more] = await store.outbox.read({ after: 0, limit: 10 });
      assertEquals([told?.messageId, told?.type, more.length], [idOf(1), "held", 0]);
      const { message: { reversePath, summary } } = await detailOf(store, 1);
      assertEquals(JSON.parse(told?.body ?? ""), {
        ...{ type: "held", at: new Date(NOW_MS).toISOString(), by: "ada" },
        message: {
          ...{ id: idOf(1), reversePath },
          ...{ subject: summary.subject, messageId: summary.messageId },
        },
      });
    },
  },
  {
    title: "outbox: places of a time are found, so that events can be told again",
    async run({ outbox }) {
      for (const atMs of [NOW_MS, NOW_MS + 10, NOW_MS + 20]) {
        await outbox.append([eventOf("accepted", { atMs })]);
      }
      const later = await outbox.placeBefore(NOW_MS + 5);
      const events = await outbox.read({ after: later, limit: 10 });
      assertEquals(events.map(({ atMs }) => atMs), [NOW_MS + 10, NOW_MS + 20]);
      assertEquals(await outbox.placeBefore(NOW_MS + 99), await outbox.placeBefore());
    },
  },
  {
    title: "outbox: a request that was taken moves its receiver on, any is in the log",
    async run({ outbox }) {
      assertEquals(await outbox.reached("crm"), null);
      await outbox.record(callOf("crm", { status: null }), null);
      assertEquals(await outbox.reached("crm"), null);
      await outbox.record(callOf("crm"), 3);
      await outbox.record(callOf("other"), 2);
      assertEquals(await outbox.reached("crm"), 3);
      await outbox.move("crm", 1);
      assertEquals(await outbox.reached("crm"), 1);
      const page = await outbox.calls({ webhook: "crm", limit: 1 });
      assertEquals(page.items.map(({ id: _, ...call }) => call), [callOf("crm")]);
      const next = await outbox.calls({ webhook: "crm", limit: 1, cursor: page.cursor ?? "" });
      assertEquals(next.items.map(({ status }) => status), [null]);
      assertEquals(next.cursor, null);
      const all = (await outbox.calls({ limit: 9 })).items;
      const two = await outbox.calls({ limit: 2 });
      const rest = await outbox.calls({ limit: 2, cursor: two.cursor ?? "" });
      assertEquals([all.length, [...two.items, ...rest.items]], [3, all]);
    },
  },
  {
    title: "outbox: old events are forgotten and their places not given again",
    async run({ outbox }) {
      await outbox.append([eventOf("accepted"), eventOf("delivered")]);
      await outbox.record(callOf("crm"), 2);
      const last = await outbox.placeBefore();
      assertEquals(await outbox.purge({ beforeMs: NOW_MS, limit: 10 }), 0);
      assertEquals(await outbox.purge({ beforeMs: NOW_MS + 1, limit: 10 }), 3);
      assertEquals(await outbox.placeBefore(), last);
      await outbox.append([eventOf("held")]);
      const [event] = await outbox.read({ after: 0, limit: 10 });
      assertEquals(event?.place, last + 1);
    },
  },
];
