import { assert, assertEquals } from "@std/assert";
import type { ClaimResult } from "../../../src/queue/store.ts";
import { claimOf, idOf, messageOf, NOW_MS, recipientOf, settlementOf } from "../messages.ts";
import { detailOf, type StoreCase, textOf } from "./case.ts";

function numbersOf({ claimed }: ClaimResult): number[] {
  return claimed.map(({ message }) => Number(message.id.slice(6)));
}

function pathsOf({ claimed }: ClaimResult): string[] {
  return claimed.flatMap(({ recipients }) => recipients.map(({ forwardPath }) => forwardPath));
}

function dueAt(offsetMs: number, path = "user@dest.example") {
  return recipientOf(path, { nextAttemptAtMs: NOW_MS + offsetMs });
}

export const claimCases: readonly StoreCase[] = [
  {
    title: "claim of an empty store",
    async run(store) {
      assertEquals(await store.claim(claimOf()), { claimed: [], nextDueAtMs: null });
    },
  },
  {
    title: "claim takes what is due, longest waiting first, and only once",
    async run(store) {
      await store.put(messageOf(1, { to: [dueAt(-10)] }));
      await store.put(messageOf(2, { to: [dueAt(-30)] }));
      await store.put(messageOf(3, { to: [dueAt(20)] }));
      await store.put(messageOf(4, { to: [recipientOf("h@dest.example", { state: "held" })] }));
      const first = await store.claim(claimOf());
      assertEquals(numbersOf(first), [2, 1]);
      assertEquals(first.nextDueAtMs, NOW_MS + 20);
      assertEquals(numbersOf(await store.claim(claimOf())), []);
      assertEquals(numbersOf(await store.claim(claimOf({ nowMs: NOW_MS + 20 }))), [3]);
    },
  },
  {
    title: "a claim names its holder and its recipients",
    async run(store) {
      await store.put(messageOf(1));
      const { claimed: [claimed] } = await store.claim(claimOf({ owner: "node-b" }));
      const detail = await detailOf(store, 1);
      assertEquals(detail.recipients[0]?.claimedBy, "node-b");
      assertEquals(claimed?.message, detail.message);
      const recipients = detail.recipients.map(({ claimedBy: _, ...recipient }) => recipient);
      assertEquals(claimed?.recipients, recipients);
    },
  },
  {
    title: "recipients of one message that are claimed together come together",
    async run(store) {
      await store.put(messageOf(1, { to: ["a@one.example", "b@two.example", dueAt(50)] }));
      await store.put(messageOf(2, { to: ["c@one.example"] }));
      const result = await store.claim(claimOf());
      assertEquals(numbersOf(result).sort(), [1, 2]);
      const message = result.claimed.find(({ message }) => message.id === idOf(1));
      assertEquals(message?.recipients.map(({ index }) => index).sort(), [0, 1]);
    },
  },
  {
    title: "the limit counts recipients, and says that more is due now",
    async run(store) {
      await store.put(messageOf(1, { to: ["a@one.example", "b@one.example", "c@one.example"] }));
      const first = await store.claim(claimOf({ limit: 2 }));
      assertEquals(pathsOf(first), ["a@one.example", "b@one.example"]);
      assert(first.nextDueAtMs !== null && first.nextDueAtMs <= NOW_MS);
      assertEquals(pathsOf(await store.claim(claimOf({ limit: 2 }))), ["c@one.example"]);
    },
  },
  {
    title: "no domain gets more than its share, what is active included",
    async run(store) {
      for (let number = 0; number < 5; number++) await store.put(messageOf(number));
      await store.put(messageOf(9, { to: [dueAt(0, "x@other.example")] }));
      const active = new Map([["dest.example", 2]]);
      const result = await store.claim(claimOf({ perDomain: 3, active }));
      assertEquals(pathsOf(result).sort(), ["user@dest.example", "x@other.example"]);
      // What stays behind is due, but asking again at once would bring nothing.
      assertEquals(result.nextDueAtMs, null);
      const full = new Map([["dest.example", 7]]);
      assertEquals(pathsOf(await store.claim(claimOf({ perDomain: 3, active: full }))), []);
    },
  },
  {
    title: "a long queue of one domain does not keep others waiting",
    async run(store) {
      const flood = Array.from({ length: 6_000 }, (_, at) => dueAt(-1_000, `u${at}@flood.example`));
      await store.put(messageOf(1, { to: flood }));
      const others = Array.from({ length: 40 }, (_, at) => dueAt(0, `u@d${at}.example`));
      await store.put(messageOf(2, { to: others }));
      const seen = new Set<string>();
      const active = new Map<string, number>();
      for (let turn = 0; turn < 4; turn++) {
        const paths = pathsOf(await store.claim(claimOf({ limit: 25, perDomain: 5, active })));
        for (const path of paths) {
          seen.add(path);
          const domain = path.slice(path.indexOf("@") + 1);
          active.set(domain, (active.get(domain) ?? 0) + 1);
        }
      }
      assertEquals(seen.size, 45);
    },
  },
  {
    title: "recipients of a paused domain are put off, uncounted, with the reason",
    async run(store) {
      await store.put(messageOf(1, { to: ["a@down.example", "b@up.example", dueAt(5_000)] }));
      const untilMs = NOW_MS + 30_000;
      const paused = new Map([["down.example", { untilMs, reason: "451 4.4.1 No answer" }]]);
      const result = await store.claim(claimOf({ paused }));
      assertEquals(pathsOf(result), ["b@up.example"]);
      assertEquals(result.nextDueAtMs, NOW_MS + 5_000);
      const { recipients: [first] } = await detailOf(store, 1);
      assertEquals(first?.nextAttemptAtMs, untilMs);
      assertEquals(first?.lastReply, "451 4.4.1 No answer");
      assertEquals(first?.attempts, 0);
      assertEquals(first?.state, "queued");
      assertEquals(pathsOf(await store.claim(claimOf({ nowMs: untilMs, paused }))), [
        "user@dest.example",
        "a@down.example",
      ]);
    },
  },
  {
    title: "nothing is put off for longer than its message lives",
    async run(store) {
      const to = ["a@down.example"];
      await store.put(messageOf(1, { to, expiresAtMs: NOW_MS + 5_000 }));
      await store.put(messageOf(2, { to, expiresAtMs: NOW_MS }));
      const paused = new Map([["down.example", { untilMs: NOW_MS + 30_000, reason: "down" }]]);
      const { claimed, nextDueAtMs } = await store.claim(claimOf({ paused }));
      assertEquals(claimed.map(({ message }) => message.id), [idOf(2)]);
      assertEquals(nextDueAtMs, NOW_MS + 5_000);
    },
  },
  {
    title: "a long queue of a paused domain does not keep others waiting",
    async run(store) {
      const flood = Array.from({ length: 6_000 }, (_, at) => dueAt(-1_000, `u${at}@down.example`));
      await store.put(messageOf(1, { to: flood }));
      await store.put(messageOf(2, { to: [dueAt(0, "u@up.example")] }));
      const paused = new Map([["down.example", { untilMs: NOW_MS + 9_000, reason: "down" }]]);
      assertEquals(pathsOf(await store.claim(claimOf({ paused }))), ["u@up.example"]);
      let nextDueAtMs: number | null = NOW_MS;
      // In as many steps as the store likes, each a little later.
      for (let turn = 0; turn < 100 && nextDueAtMs !== NOW_MS + 9_000; turn++) {
        const nowMs = NOW_MS + turn;
        ({ nextDueAtMs } = await store.claim(claimOf({ paused, nowMs })));
      }
      assertEquals(nextDueAtMs, NOW_MS + 9_000);
    },
  },
  {
    title: "octets come along up to the budget",
    async run(store) {
      const place = { kind: "inline", bytes: new Uint8Array(100) } as const;
      for (const number of [1, 2, 3]) await store.put(messageOf(number, { place }));
      const { claimed } = await store.claim(claimOf({ bodyBudgetBytes: 250 }));
      assertEquals(claimed.filter(({ bytes }) => bytes !== undefined).length, 2);
      assertEquals(claimed.filter((message) => "bytes" in message).length, 2);
    },
  },
  {
    title: "a message that is put with a lease is claimed already",
    async run(store) {
      const lease = { owner: "node-a", untilMs: NOW_MS + 60_000 };
      await store.put(messageOf(1, { lease, to: ["a@one.example", dueAt(10, "b@one.example")] }));
      const { recipients } = await detailOf(store, 1);
      assertEquals(recipients.map(({ claimedBy }) => claimedBy), ["node-a", null]);
      const other = await store.claim(claimOf({ owner: "node-b", nowMs: NOW_MS + 10 }));
      assertEquals(pathsOf(other), ["b@one.example"]);
      await store.settle(settlementOf(1));
      assertEquals((await detailOf(store, 1)).recipients[0]?.state, "delivered");
      assert(await textOf(store, 1) !== null);
    },
  },
];
