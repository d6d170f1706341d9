import { assert, assertEquals } from "@std/assert";
import type { ListOrder, MessageFilter, QueueStore } from "../../../src/queue/store.ts";
import { claimOf, idOf, messageOf, NOW_MS, recipientOf, settlementOf } from "../messages.ts";
import { type StoreCase } from "./case.ts";

async function fitting(store: QueueStore, filter: MessageFilter): Promise<number[]> {
  const { items, cursor } = await store.list({ filter, limit: 100 });
  assertEquals(cursor, null);
  assertEquals(await store.count(filter), items.length);
  return items.map(({ message }) => Number(message.id.slice(6)));
}

/** Four messages in as many conditions. */
async function fill(store: QueueStore): Promise<void> {
  await store.put(messageOf(1, { reversePath: "", to: ["Ann@one.example"] }));
  await store.put(messageOf(2, { reversePath: "Bob@origin.example", to: ["ann@two.example"] }));
  await store.claim(claimOf());
  await store.settle(settlementOf(2));
  await store.settle(settlementOf(1, {
    recipients: [{
      index: 0,
      disposition: { kind: "retry", nextAttemptAtMs: NOW_MS + 500, counts: true },
      reply: "451 later",
    }],
  }));
  await store.put(messageOf(3, {
    to: [recipientOf("x@one.example", { state: "held" }), "y@two.example"],
  }));
  await store.put(messageOf(4, { to: ["bücher@one.example", "x@one.example"] }));
}

const FILTERS: readonly (readonly [MessageFilter, readonly number[]])[] = [
  [{}, [4, 3, 2, 1]],
  [{ ids: [idOf(2), idOf(4), idOf(9)] }, [4, 2]],
  [{ ids: [] }, []],
  [{ ids: [idOf(2), idOf(4)], states: ["queued"] }, [4]],
  [{ ids: [idOf(2), idOf(3)], domain: "one.example" }, [3]],
  [{ states: ["queued"] }, [4, 3, 1]],
  [{ states: ["held", "delivered"] }, [3, 2]],
  [{ states: ["failed"] }, []],
  [{ states: [] }, []],
  [{ domain: "one.example" }, [4, 3, 1]],
  // The same recipient fits both.
  [{ domain: "one.example", states: ["queued"] }, [4, 1]],
  [{ domain: "two.example", states: ["held"] }, []],
  [{ domain: "none.example" }, []],
  [{ sender: "" }, [1]],
  [{ sender: "BOB@ORIGIN.EXAMPLE" }, [2]],
  [{ sender: "sender@origin.example" }, [4, 3]],
  [{ sender: "sender@origin.example", states: ["held"] }, [3]],
  [{ sender: "sender@origin.example", domain: "two.example" }, [3]],
  [{ sender: "sender@origin.example", recipient: "X@one.example" }, [4, 3]],
  [{ recipient: "ann@one.example" }, [1]],
  [{ recipient: "bücher@ONE.example" }, [4]],
  [{ recipient: "BÜCHER@one.example" }, []],
  [{ recipient: "x@one.example", states: ["queued"] }, [4]],
  [{ recipient: "x@one.example", domain: "two.example" }, []],
  [{ listener: "smtp" }, [4, 3, 2, 1]],
  [{ listener: "other" }, []],
  [{ minSizeBytes: 20, maxSizeBytes: 20 }, [4, 3, 2, 1]],
  [{ minSizeBytes: 21 }, []],
  [{ maxSizeBytes: 19, domain: "one.example" }, []],
  [{ minAttempts: 1 }, [2, 1]],
  [{ minAttempts: 1, states: ["queued"] }, [1]],
  [{ minAttempts: 2 }, []],
  [{ replyStart: "451" }, [1]],
  [{ replyStart: "451 l", domain: "one.example" }, [1]],
  [{ replyStart: "451", ids: [idOf(2)] }, []],
  [{ text: "MESSAGE 3" }, [3]],
  [{ text: "ann@" }, [2, 1]],
  [{ text: "bob@origin" }, [2]],
  [{ text: "bücher" }, [4]],
  [{ text: "example", listener: "smtp", states: ["held"] }, [3]],
  [{ text: "%" }, []],
  [{ receivedBeforeMs: NOW_MS + 3 }, [2, 1]],
  [{ receivedAfterMs: NOW_MS + 1, receivedBeforeMs: NOW_MS + 4 }, [3, 2]],
  [{ receivedAfterMs: NOW_MS + 1, states: ["queued"] }, [4, 3]],
  [{ receivedAfterMs: NOW_MS + 3, domain: "one.example" }, [4]],
  [{ receivedAfterMs: NOW_MS + 3, sender: "sender@origin.example" }, [4]],
];

export const queryCases: readonly StoreCase[] = [
  {
    title: "list and count by every kind of filter",
    async run(store) {
      await fill(store);
      for (const [filter, expected] of FILTERS) {
        assertEquals(await fitting(store, filter), [...expected], JSON.stringify(filter));
      }
    },
  },
  {
    title: "what a list shows of a message",
    async run(store) {
      const to = ["a", "b", "c", "d", "e", "f"].map((name) => `${name}@dest.example`);
      await store.put(messageOf(1, { to }));
      await store.claim(claimOf({ limit: 2 }));
      const nextAttemptAtMs = NOW_MS + 500;
      await store.settle(settlementOf(1, {
        recipients: [
          { index: 0, disposition: { kind: "final", state: "delivered" }, reply: "250 ok" },
          {
            index: 1,
            disposition: { kind: "retry", nextAttemptAtMs, counts: true },
            reply: "451 later",
          },
        ],
      }));
      const { items: [item] } = await store.list({ filter: {}, limit: 10 });
      const { message, ...rest } = item ?? {};
      assertEquals(message?.summary.subject, "Message 1");
      assertEquals(rest, {
        recipientCount: 6,
        states: { delivered: 1, queued: 5 },
        firstRecipients: to.slice(0, 5),
        attempts: 1,
        nextAttemptAtMs: NOW_MS,
        lastReply: "451 later",
      });
    },
  },
  {
    title: "pages join without gap or overlap, while new messages arrive",
    async run(store) {
      const numbers = Array.from({ length: 25 }, (_, number) => number);
      for (const number of numbers) await store.put(messageOf(number));
      const filters: MessageFilter[] = [{}, { domain: "dest.example" }, {
        sender: "sender@origin.example",
      }];
      for (const [at, filter] of filters.entries()) {
        const seen: number[] = [];
        let cursor: string | null = null;
        do {
          const page: Awaited<ReturnType<QueueStore["list"]>> = await store.list({
            filter,
            limit: 5,
            ...(cursor === null ? {} : { cursor }),
          });
          assert(page.items.length <= 5);
          seen.push(...page.items.map(({ message }) => Number(message.id.slice(6))));
          if (cursor === null) await store.put(messageOf(100 + at));
          cursor = page.cursor;
        } while (cursor !== null);
        assertEquals(seen.filter((number) => number < 100), numbers.toReversed());
        await store.command({
          filter: { ids: [idOf(100 + at)] },
          command: { kind: "cancel" },
          nowMs: NOW_MS,
          by: "test",
        });
      }
    },
  },
  {
    title: "lists in every order, page by page",
    async run(store) {
      const sizes = [30, 10, 20, 20, 50];
      for (const [number, sizeBytes] of sizes.entries()) {
        const { facts } = messageOf(number);
        const to = [
          recipientOf(`a@dest.example`, { nextAttemptAtMs: NOW_MS + sizeBytes }),
          recipientOf(`b@dest.example`, { nextAttemptAtMs: NOW_MS + 100 - sizeBytes }),
          recipientOf(`c@dest.example`, { state: "held", nextAttemptAtMs: NOW_MS }),
        ];
        await store.put(messageOf(number, { to, facts: { ...facts, sizeBytes } }));
      }
      const ordered = async (order: ListOrder, filter: MessageFilter = {}) => {
        const seen: number[] = [];
        let cursor: string | undefined;
        do {
          const page = await store.list({
            ...{ filter, order, limit: 2 },
            ...(cursor === undefined ? {} : { cursor }),
          });
          seen.push(...page.items.map(({ message }) => Number(message.id.slice(6))));
          cursor = page.cursor ?? undefined;
        } while (cursor !== undefined);
        return seen;
      };
      assertEquals(await ordered("newest"), [4, 3, 2, 1, 0]);
      assertEquals(await ordered("oldest"), [0, 1, 2, 3, 4]);
      assertEquals(await ordered("oldest", { states: ["held"] }), [0, 1, 2, 3, 4]);
      assertEquals(await ordered("oldest", { recipient: "b@dest.example" }), [0, 1, 2, 3, 4]);
      assertEquals(await ordered("largest"), [4, 0, 3, 2, 1]);
      assertEquals(await ordered("largest", { maxSizeBytes: 30 }), [0, 3, 2, 1]);
      assertEquals(await ordered("next"), [1, 2, 3, 0, 4]);
      assertEquals(await ordered("next", { recipient: "b@dest.example" }), [4, 0, 2, 3, 1]);
      assertEquals(await ordered("next", { text: "message 3" }), [3]);
      assertEquals(await ordered("next", { states: ["held"] }), []);
      await store.claim(claimOf({ nowMs: NOW_MS + 10, limit: 1 }));
      await store.settle(settlementOf(1, {
        recipients: [{
          index: 0,
          disposition: { kind: "retry", nextAttemptAtMs: NOW_MS + 1e6, counts: true },
        }],
      }));
      assertEquals(await ordered("attempts"), [1, 4, 3, 2, 0]);
      assertEquals(await ordered("attempts", { sender: "sender@origin.example" }), [1, 4, 3, 2, 0]);
    },
  },
  {
    title: "text is found in recipients beyond the first, and in those that were added",
    async run(store) {
      const to = Array.from({ length: 150 }, (_, index) => `r${index}@dest.example`);
      await store.put(messageOf(1, { to }));
      await store.put(messageOf(2));
      const add = [{ forwardPath: "Late@dest.example", domain: "dest.example" }];
      await store.command({
        ...{ filter: { ids: [idOf(2)] }, nowMs: NOW_MS, by: "op" },
        command: { kind: "readdress", add },
      });
      assertEquals(await fitting(store, { text: "R149@dest" }), [1]);
      assertEquals(await fitting(store, { text: "late@DEST" }), [2]);
      assertEquals(await fitting(store, { recipient: "late@dest.example", listener: "smtp" }), [2]);
      assertEquals(await fitting(store, { text: "late@dest", domain: "dest.example" }), [2]);
      assertEquals(await fitting(store, { text: "message", domain: "dest.example" }), [2, 1]);
      assertEquals(await store.countWithin({ text: "message" }, 60_000), {
        count: 2,
        isComplete: true,
      });
    },
  },
  {
    title: "counts follow every step",
    async run(store) {
      const none = { queued: 0, held: 0, delivered: 0, failed: 0, expired: 0, cancelled: 0 };
      assertEquals(await store.stats(), {
        recipients: none,
        liveMessages: 0,
        oldestReceivedAtMs: null,
        nextDueAtMs: null,
      });
      await fill(store);
      assertEquals(await store.stats(), {
        recipients: { ...none, queued: 4, held: 1, delivered: 1 },
        liveMessages: 3,
        oldestReceivedAtMs: NOW_MS + 1,
        nextDueAtMs: NOW_MS,
      });
      await store.command({
        filter: { ids: [idOf(1)] },
        command: { kind: "cancel" },
        nowMs: NOW_MS,
        by: "test",
      });
      assertEquals(await store.stats(), {
        recipients: { ...none, queued: 3, held: 1, delivered: 1, cancelled: 1 },
        liveMessages: 2,
        oldestReceivedAtMs: NOW_MS + 3,
        nextDueAtMs: NOW_MS,
      });
    },
  },
  {
    title: "the next attempt that is due is of what waits and is not claimed",
    async run(store) {
      const dueAt = (atMs: number, mailbox = "a@dest.example") =>
        recipientOf(mailbox, { nextAttemptAtMs: NOW_MS + atMs });
      const held = recipientOf("h@dest.example", { state: "held", nextAttemptAtMs: NOW_MS - 9 });
      await store.put(messageOf(1, { to: [dueAt(70), held] }));
      assertEquals((await store.stats()).nextDueAtMs, NOW_MS + 70);
      await store.put(messageOf(2, { to: [dueAt(-5), dueAt(50, "b@dest.example")] }));
      await store.put(messageOf(3, { to: [dueAt(60)] }));
      assertEquals((await store.stats()).nextDueAtMs, NOW_MS - 5);
      await store.claim(claimOf());
      assertEquals((await store.stats()).nextDueAtMs, NOW_MS + 50);
    },
  },
  {
    title: "purge forgets what has been done for long, and nothing else",
    async run(store) {
      await fill(store);
      assertEquals(await store.purge({ beforeMs: NOW_MS - 1, limit: 10 }), 0);
      assertEquals(await store.purge({ beforeMs: NOW_MS + 1, limit: 10 }), 1);
      assertEquals(await store.get(idOf(2)), null);
      assertEquals(await fitting(store, {}), [4, 3, 1]);
      assertEquals((await store.stats()).recipients.delivered, 0);
    },
  },
  {
    title: "purge keeps to its limit",
    async run(store) {
      const numbers = Array.from({ length: 30 }, (_, number) => number);
      for (const number of numbers) await store.put(messageOf(number));
      await store.command({ filter: {}, command: { kind: "cancel" }, nowMs: NOW_MS, by: "test" });
      assertEquals(await store.purge({ beforeMs: Infinity, limit: 20 }), 20);
      assertEquals(await store.count({}), 10);
      assertEquals(await store.purge({ beforeMs: Infinity, limit: 20 }), 10);
    },
  },
];
