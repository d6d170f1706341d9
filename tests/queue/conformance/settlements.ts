import { assertEquals, assertRejects } from "@std/assert";
import type { Disposition } from "../../../src/queue/store.ts";
import { claimOf, idOf, messageOf, NOW_MS, settlementOf } from "../messages.ts";
import { detailOf, statesOf, type StoreCase, textOf } from "./case.ts";

const DELIVERED: Disposition = { kind: "final", state: "delivered" };
const FAILED: Disposition = { kind: "final", state: "failed" };
const TO_THREE = ["a@dest.example", "b@dest.example", "c@dest.example"];

export const settleCases: readonly StoreCase[] = [
  ...[
    {
      by: "its line",
      timeline: [{ atMs: NOW_MS, kind: "attempt", recipients: [0], detail: {} }],
      isTold: false,
    },
    { by: "its notification", timeline: [], isTold: true },
  ].map(({ by, timeline, isTold }): StoreCase => ({
    title: `a settlement that is made again does nothing where ${by} shows that it was made`,
    async run(store) {
      await store.put(messageOf(1));
      await store.claim(claimOf());
      const disposition: Disposition = {
        kind: "retry",
        nextAttemptAtMs: NOW_MS,
        counts: true,
        delayNotified: true,
      };
      const settlement = settlementOf(1, {
        ...{ timeline, recipients: [{ index: 0, disposition }] },
        notifications: isTold ? [messageOf(2)] : [],
      });
      await store.settle(settlement);
      await store.claim(claimOf());
      await store.settle({ ...settlement, again: true });
      const { recipients: [recipient], timeline: lines } = await detailOf(store, 1);
      assertEquals([recipient?.attempts, recipient?.claimedBy], [1, claimOf().owner]);
      assertEquals([lines.length, await store.count({})], [timeline.length, isTold ? 2 : 1]);
    },
  })),
  {
    title: "attempts that may have delivered are counted, up to three",
    async run(store) {
      await store.put(messageOf(1));
      const retry = { kind: "retry", nextAttemptAtMs: NOW_MS, counts: true } as const;
      const doubts: (number | undefined)[] = [];
      const dispositions: Disposition[] = [
        retry,
        { ...retry, doubtful: true },
        retry,
        { ...retry, doubtful: true },
        { kind: "hold", counts: true },
      ];
      for (const disposition of dispositions) {
        const { claimed } = await store.claim(claimOf());
        doubts.push(claimed[0]?.recipients[0]?.doubts);
        await store.settle(settlementOf(1, { recipients: [{ index: 0, disposition }] }));
      }
      assertEquals(doubts, [undefined, undefined, 1, 1, 2]);
      const { recipients: [recipient] } = await detailOf(store, 1);
      assertEquals([recipient?.state, recipient?.doubts], ["held", 3]);
    },
  },
  {
    title: "delivery of the only recipient ends a message; its history stays",
    async run(store) {
      await store.put(messageOf(1));
      await store.claim(claimOf());
      const entry = {
        atMs: NOW_MS,
        kind: "attempt",
        recipients: [0],
        detail: { remote: "mx[192.0.2.9]:25", durationMs: 12, tls: null },
      };
      await store.settle(settlementOf(1, { timeline: [entry] }));
      const { recipients: [recipient], timeline, hasBody } = await detailOf(store, 1);
      assertEquals(recipient?.state, "delivered");
      assertEquals(recipient?.attempts, 1);
      assertEquals(recipient?.lastReply, "250 ok");
      assertEquals(recipient?.claimedBy, null);
      assertEquals(timeline, [entry]);
      assertEquals(hasBody, false);
      assertEquals(await textOf(store, 1), null);
      assertEquals((await store.claim(claimOf({ nowMs: NOW_MS + 1e9 }))).claimed, []);
    },
  },
  {
    title: "each recipient has its own outcome, and the octets stay for the last one",
    async run(store) {
      await store.put(messageOf(1, { to: TO_THREE }));
      await store.claim(claimOf());
      const nextAttemptAtMs = NOW_MS + 60_000;
      await store.settle(settlementOf(1, {
        recipients: [
          { index: 0, disposition: DELIVERED, reply: "250 ok" },
          { index: 1, disposition: FAILED, reply: "550 no" },
          {
            index: 2,
            disposition: { kind: "retry", nextAttemptAtMs, counts: true, delayNotified: true },
            reply: "451 later",
          },
        ],
      }));
      const { recipients, hasBody } = await detailOf(store, 1);
      assertEquals(recipients.map(({ state }) => state), ["delivered", "failed", "queued"]);
      assertEquals(recipients.map(({ attempts }) => attempts), [1, 1, 1]);
      assertEquals(recipients[2]?.nextAttemptAtMs, nextAttemptAtMs);
      assertEquals(recipients[2]?.delayNotified, true);
      assertEquals(hasBody, true);
      const again = await store.claim(claimOf({ nowMs: nextAttemptAtMs }));
      assertEquals(again.claimed[0]?.recipients.map(({ index }) => index), [2]);
    },
  },
  {
    title: "an attempt that a limit prevented does not count, and an absent reply changes none",
    async run(store) {
      await store.put(messageOf(1));
      await store.claim(claimOf());
      const retry = { kind: "retry", nextAttemptAtMs: NOW_MS, counts: true } as const;
      await store.settle(settlementOf(1, {
        recipients: [{ index: 0, disposition: retry, reply: "451 later" }],
      }));
      await store.claim(claimOf());
      await store.settle(settlementOf(1, {
        recipients: [{ index: 0, disposition: { ...retry, counts: false } }],
      }));
      const { recipients: [recipient] } = await detailOf(store, 1);
      assertEquals(recipient?.attempts, 1);
      assertEquals(recipient?.lastReply, "451 later");
      assertEquals(recipient?.delayNotified, false);
    },
  },
  {
    title: "a delay that was told stays told",
    async run(store) {
      await store.put(messageOf(1));
      const retry = { kind: "retry", nextAttemptAtMs: NOW_MS, counts: true } as const;
      for (const disposition of [{ ...retry, delayNotified: true } as const, retry]) {
        await store.claim(claimOf());
        await store.settle(settlementOf(1, { recipients: [{ index: 0, disposition }] }));
      }
      assertEquals((await detailOf(store, 1)).recipients[0]?.delayNotified, true);
    },
  },
  {
    title: "a recipient that is held waits for an operator",
    async run(store) {
      await store.put(messageOf(1));
      await store.claim(claimOf());
      await store.settle(settlementOf(1, {
        recipients: [{ index: 0, disposition: { kind: "hold" }, reply: "451 rule" }],
      }));
      assertEquals(await statesOf(store, 1), ["held"]);
      assertEquals((await detailOf(store, 1)).recipients[0]?.attempts, 0);
      const nextDueAtMs = null;
      assertEquals(await store.claim(claimOf({ nowMs: NOW_MS + 1e9 })), {
        claimed: [],
        nextDueAtMs,
      });
    },
  },
  {
    title: "an attempt after which a recipient is held counts",
    async run(store) {
      await store.put(messageOf(1));
      await store.claim(claimOf());
      await store.settle(settlementOf(1, {
        recipients: [{ index: 0, disposition: { kind: "hold", counts: true }, reply: "451 lost" }],
      }));
      assertEquals(await statesOf(store, 1), ["held"]);
      assertEquals((await detailOf(store, 1)).recipients[0]?.attempts, 1);
    },
  },
  {
    title: "nobody is told of a failure that was not recorded, as the recipient was held meanwhile",
    async run(store) {
      for (const number of [1, 2]) {
        await store.put(messageOf(number, { to: TO_THREE }));
        await store.claim(claimOf());
        if (number === 1) {
          const filter = { ids: [idOf(1)] };
          await store.command({ filter, command: { kind: "hold" }, nowMs: NOW_MS, by: "ada" });
        }
        await store.settle(settlementOf(number, {
          recipients: [{ index: 0, disposition: DELIVERED }, { index: 1, disposition: FAILED }],
          notifications: [messageOf(number + 10, { reversePath: "" })],
        }));
      }
      assertEquals(await statesOf(store, 1), ["delivered", "held", "held"]);
      assertEquals(await store.get(idOf(11)), null);
      assertEquals(await statesOf(store, 2), ["delivered", "failed", "queued"]);
      assertEquals((await detailOf(store, 12)).message.reversePath, "");
    },
  },
  {
    title: "notifications exist exactly if the settlement does",
    async run(store) {
      await store.put(messageOf(1, { to: TO_THREE }));
      await store.claim(claimOf());
      const fail = (index: number, number: number) =>
        settlementOf(1, {
          recipients: [{ index, disposition: FAILED, reply: "550 no" }],
          notifications: [messageOf(number, { reversePath: "", to: ["sender@origin.example"] })],
        });
      await store.settle(fail(0, 2));
      assertEquals(await textOf(store, 2), "Subject: 2\r\n\r\nText\r\n");
      // The owner does not hold the recipient any more.
      await store.settle(fail(0, 3));
      assertEquals(await store.get(idOf(3)), null);
      // The notification cannot be stored.
      await assertRejects(() => store.settle(fail(1, 2)));
      assertEquals(await statesOf(store, 1), ["failed", "queued", "queued"]);
      assertEquals((await detailOf(store, 1)).recipients[1]?.claimedBy, "node-a");
      assertEquals((await store.stats()).recipients.failed, 1);
    },
  },
  {
    title: "a settlement of no recipients adds to the timeline",
    async run(store) {
      await store.put(messageOf(1));
      const entry = { atMs: NOW_MS, kind: "attempt", recipients: [], detail: {} };
      await store.settle(settlementOf(1, { recipients: [], timeline: [entry, entry] }));
      assertEquals((await detailOf(store, 1)).timeline, [entry, entry]);
    },
  },
  {
    title: "records stand on the shelf with the settlement that brings them",
    async run(store) {
      await store.put(messageOf(1));
      const records = ["a", "b"].map((key) => ({
        ...{ space: "remote", key, value: idOf(1), expiresAtMs: null },
      }));
      await store.settle(settlementOf(1, { recipients: [], records }));
      assertEquals((await store.shelf.get("remote", "b"))?.value, idOf(1));
      await store.settle(settlementOf(2, {
        recipients: [],
        records: [{ space: "remote", key: "b", value: idOf(2), expiresAtMs: null }],
      }));
      assertEquals((await store.shelf.get("remote", "b"))?.value, idOf(1), "no such message");
    },
  },
  {
    title: "what is settled once is settled once, also when it is heard of twice at a time",
    async run(store) {
      await store.put(messageOf(1));
      const once = { space: "heard", key: "event-1", value: "", expiresAtMs: null };
      const entry = { atMs: NOW_MS, kind: "feedback", recipients: [0], detail: {} };
      const event = { messageId: idOf(1), atMs: NOW_MS, type: "bounced", body: "{}" };
      const records = [{ space: "remote", key: "a", value: "first", expiresAtMs: null }];
      const settlement = settlementOf(1, {
        ...{ recipients: [], timeline: [entry], events: [event], records, once },
      });
      await Promise.all([store.settle(settlement), store.settle(settlement)]);
      await store.settle({
        ...settlement,
        records: records.map((record) => ({ ...record, value: "second" })),
      });
      assertEquals((await detailOf(store, 1)).timeline, [entry]);
      assertEquals((await store.outbox.read({ after: 0, limit: 10 })).length, 1);
      assertEquals((await store.shelf.get("remote", "a"))?.value, "first");
      await store.settle({ ...settlement, once: { ...once, key: "event-2" } });
      assertEquals((await detailOf(store, 1)).timeline, [entry, entry]);
    },
  },
  {
    title: "settling an unknown message or recipient does nothing",
    async run(store) {
      await store.settle(settlementOf(1));
      await store.put(messageOf(1));
      await store.claim(claimOf());
      await store.settle(settlementOf(1, {
        recipients: [{ index: 7, disposition: DELIVERED, reply: "250 ok" }],
      }));
      assertEquals(await statesOf(store, 1), ["queued"]);
    },
  },
  {
    title: "expired and cancelled are ends as well",
    async run(store) {
      await store.put(messageOf(1, { to: TO_THREE.slice(0, 2) }));
      await store.claim(claimOf());
      await store.settle(settlementOf(1, {
        recipients: [
          { index: 0, disposition: { kind: "final", state: "expired" }, reply: "451 late" },
          { index: 1, disposition: { kind: "final", state: "cancelled" } },
        ],
      }));
      const { recipients, hasBody } = await detailOf(store, 1);
      assertEquals(recipients.map(({ state }) => state), ["expired", "cancelled"]);
      assertEquals(recipients.map(({ attempts }) => attempts), [1, 0]);
      assertEquals(hasBody, false);
    },
  },
  {
    title: "a settlement that is repeated, as its answer was lost, puts its notification once",
    async run(store) {
      await store.put(messageOf(1));
      await store.claim(claimOf());
      const failure = settlementOf(1, {
        recipients: [{ index: 0, disposition: FAILED, reply: "550 no" }],
        notifications: [messageOf(2)],
      });
      await store.settle(failure);
      await store.settle(failure);
      assertEquals(await statesOf(store, 1), ["failed"]);
      assertEquals(await store.count({}), 2);
    },
  },
];
