import { assertEquals } from "@std/assert";
import { claimOf, idOf, messageOf, NOW_MS, recipientOf, settlementOf } from "../messages.ts";
import { detailOf, statesOf, type StoreCase } from "./case.ts";

const LATER_MS = NOW_MS + 60_000;

export const leaseCases: readonly StoreCase[] = [
  {
    title: "the end of a lease is when to ask again",
    async run(store) {
      await store.put(messageOf(1));
      await store.claim(claimOf());
      const other = await store.claim(claimOf({ owner: "node-b" }));
      assertEquals(other.nextDueAtMs, LATER_MS);
    },
  },
  {
    title: "an owner's claims do not end under it, whatever the clock says",
    async run(store) {
      await store.put(messageOf(1));
      await store.claim(claimOf());
      const lease = { owner: "node-a", untilMs: LATER_MS };
      await store.put(messageOf(2, { lease }));
      const nowMs = LATER_MS + 1e9;
      assertEquals(await store.claim(claimOf({ nowMs })), {
        claimed: [],
        nextDueAtMs: null,
      });
      assertEquals((await detailOf(store, 1)).timeline, []);
      assertEquals(
        (await store.claim(claimOf({ owner: "node-b", nowMs }))).claimed.length,
        2,
      );
    },
  },
  {
    title: "an owner gives back what it did not renew",
    async run(store) {
      await store.put(messageOf(1));
      await store.put(messageOf(2));
      await store.claim(claimOf({ leaseFromMs: 5_000 }));
      const owner = "node-a";
      await store.renew({ owner, messageIds: [idOf(1)], untilMs: 70_000 });
      assertEquals(
        await store.abandon({ owner, nowMs: NOW_MS, endedMs: 64_999 }),
        0,
      );
      assertEquals(
        await store.abandon({
          owner: "node-b",
          nowMs: NOW_MS,
          endedMs: 65_000,
        }),
        0,
      );
      assertEquals(
        await store.abandon({ owner, nowMs: NOW_MS, endedMs: 65_000 }),
        1,
      );
      const { claimed } = await store.claim(claimOf());
      assertEquals(claimed.map(({ message }) => message.id), [idOf(2)]);
    },
  },
  {
    title: "a lease holds what was due when it came, though the clock was set back since",
    async run(store) {
      const lease = { owner: "node-a", untilMs: LATER_MS };
      const receivedAtMs = NOW_MS + 1e9;
      const to = [
        recipientOf("a@dest.example", { nextAttemptAtMs: receivedAtMs }),
      ];
      await store.put(messageOf(1, { lease, receivedAtMs, to }));
      assertEquals(
        (await detailOf(store, 1)).recipients[0]?.claimedBy,
        "node-a",
      );
    },
  },
  {
    title: "a lease that ended is another's, and the timeline says so",
    async run(store) {
      await store.put(messageOf(1, { to: ["a@dest.example", "b@dest.example"] }));
      await store.claim(claimOf());
      const early = await store.claim(claimOf({ owner: "node-b", nowMs: LATER_MS - 1 }));
      assertEquals(early.claimed, []);
      const { claimed } = await store.claim(claimOf({ owner: "node-b", nowMs: LATER_MS }));
      assertEquals(claimed[0]?.recipients.map(({ index }) => index), [0, 1]);
      const { recipients, timeline } = await detailOf(store, 1);
      assertEquals(recipients.map(({ claimedBy }) => claimedBy), ["node-b", "node-b"]);
      assertEquals(recipients.map(({ attempts }) => attempts), [0, 0]);
      const detail = { owner: "node-a" };
      assertEquals(timeline, [
        { atMs: LATER_MS, kind: "interrupted", recipients: [0, 1], detail },
      ]);
    },
  },
  {
    title: "renewing extends a claim",
    async run(store) {
      await store.put(messageOf(1));
      await store.put(messageOf(2));
      await store.claim(claimOf());
      const untilMs = LATER_MS + 60_000;
      await store.renew({ owner: "node-a", messageIds: [idOf(1), idOf(77)], untilMs });
      const { claimed } = await store.claim(claimOf({ owner: "node-b", nowMs: LATER_MS }));
      assertEquals(claimed.map(({ message }) => message.id), [idOf(2)]);
    },
  },
  {
    title: "renewing more claims than fit one transaction",
    async run(store) {
      const numbers = Array.from({ length: 1_100 }, (_, number) => number);
      await Promise.all(numbers.map((number) => store.put(messageOf(number))));
      await store.claim(claimOf({ limit: 2_000, perDomain: 2_000 }));
      const untilMs = LATER_MS + 60_000;
      await store.renew({ owner: "node-a", messageIds: numbers.map(idOf), untilMs });
      const result = await store.claim(claimOf({ owner: "node-b", nowMs: LATER_MS }));
      assertEquals(result, { claimed: [], nextDueAtMs: untilMs });
    },
  },
  {
    title: "renewing does not revive a claim that was lost",
    async run(store) {
      await store.put(messageOf(1));
      await store.claim(claimOf());
      await store.claim(claimOf({ owner: "node-b", nowMs: LATER_MS, leaseMs: 10 }));
      const untilMs = LATER_MS + 60_000;
      await store.renew({ owner: "node-a", messageIds: [idOf(1)], untilMs });
      const { claimed } = await store.claim(claimOf({ owner: "node-c", nowMs: LATER_MS + 10 }));
      assertEquals(claimed.length, 1);
    },
  },
  {
    title: "abandoning ends the claims of one owner only",
    async run(store) {
      await store.put(messageOf(1));
      await store.claim(claimOf());
      await store.put(messageOf(2, { to: ["a@dest.example", "b@dest.example"] }));
      await store.claim(claimOf({ owner: "node-b" }));
      assertEquals(await store.abandon({ owner: "node-b", nowMs: NOW_MS }), 2);
      assertEquals(await store.abandon({ owner: "node-b", nowMs: NOW_MS }), 0);
      const { claimed } = await store.claim(claimOf({ owner: "node-c" }));
      assertEquals(claimed.map(({ message }) => message.id), [idOf(2)]);
      assertEquals(claimed[0]?.recipients.map(({ attempts }) => attempts), [0, 0]);
    },
  },
  {
    title: "abandoning more claims than fit one transaction",
    async run(store) {
      const to = Array.from({ length: 1_200 }, (_, at) => `u${at}@dest.example`);
      await store.put(messageOf(1, { to }));
      await store.claim(claimOf({ limit: 5_000, perDomain: 5_000 }));
      assertEquals(await store.abandon({ owner: "node-a", nowMs: NOW_MS }), 1_200);
    },
  },
  {
    title: "an owner that lost its claim changes nothing, but its delivery is recorded",
    async run(store) {
      await store.put(messageOf(1, { to: ["a@dest.example", "b@dest.example", "c@dest.example"] }));
      await store.claim(claimOf());
      await store.claim(claimOf({ owner: "node-b", nowMs: LATER_MS }));
      const retry = { kind: "retry", nextAttemptAtMs: NOW_MS, counts: true } as const;
      await store.settle(settlementOf(1, {
        recipients: [
          { index: 0, disposition: { kind: "final", state: "failed" }, reply: "550 no" },
          { index: 1, disposition: retry, reply: "451 later" },
          { index: 2, disposition: { kind: "final", state: "delivered" }, reply: "250 ok" },
        ],
      }));
      assertEquals(await statesOf(store, 1), ["queued", "queued", "delivered"]);
      const { recipients } = await detailOf(store, 1);
      assertEquals(recipients.map(({ claimedBy }) => claimedBy), ["node-b", "node-b", null]);
      assertEquals(recipients.map(({ lastReply }) => lastReply), ["", "", "250 ok"]);
    },
  },
];
