import { assertEquals } from "@std/assert";
import { reasonOf } from "../../../src/queue/shape.ts";
import {
  type MessagePage,
  type QueueShape,
  type QueueStore,
  StoreError,
} from "../../../src/queue/store.ts";
import { claimOf, idOf, messageOf, NOW_MS, recipientOf, settlementOf } from "../messages.ts";
import type { StoreCase } from "./case.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** In the middle of five minutes, so that no border is near. */
const LATER_MS = NOW_MS - NOW_MS % (5 * MINUTE_MS) + 7 * MINUTE_MS;

/** What waits: domain, state, reason and count by age. */
async function told(store: QueueStore, domain?: string) {
  const shape = await store.shape({
    ...{ nowMs: LATER_MS, agesMs: [HOUR_MS, 4 * HOUR_MS], limit: 10 },
    ...(domain === undefined ? {} : { domain }),
  });
  return {
    all: shape.reasons.map(({ state, reason, ages }) => [state, reason, ...ages].join(" ")),
    domains: shape.domains.map(({ domain, reasons }) =>
      `${domain}: ${
        reasons.map(({ state, reason, ages }) => [state, reason, ...ages].join(" ")).join(", ")
      }`
    ),
    total: [shape.recipients, ...shape.ages],
    domainCount: shape.domainCount,
  };
}

function put(
  store: QueueStore,
  number: number,
  { ageMs = 0, to }: { ageMs?: number; to: string[] },
) {
  return store.put(messageOf(number, { receivedAtMs: LATER_MS - ageMs, to }));
}

/** Asserts that what the store tells of its whole queue is what a look at every message finds. */
export async function assertShapeFits(store: QueueStore): Promise<void> {
  const { items } = await store.list({ filter: {}, limit: 10_000 }).catch(unlessClosed);
  const found = new Map<string, number>();
  for (const { message: { id } } of items) {
    for (const { domain, state, lastReply } of (await store.get(id))?.recipients ?? []) {
      if (state !== "queued" && state !== "held") continue;
      const key = `${domain} ${state} ${reasonOf(lastReply)}`;
      found.set(key, (found.get(key) ?? 0) + 1);
    }
  }
  const request = { nowMs: NOW_MS, agesMs: [], limit: 10_000 };
  const { domains, recipients } = await store.shape(request).catch(unlessClosed);
  const told = domains.flatMap(({ domain, reasons }) =>
    reasons.map(({ state, reason, recipients }) => [`${domain} ${state} ${reason}`, recipients])
  );
  assertEquals(Object.fromEntries(told), Object.fromEntries(found));
  assertEquals(recipients, [...found.values()].reduce((sum, count) => sum + count, 0));
}

/** A store that was closed tells nothing, and nothing waits in what it told. */
function unlessClosed(error: unknown): Pick<MessagePage, "items"> & QueueShape {
  if (!(error instanceof StoreError) || error.kind !== "closed") throw error;
  const nothing = { recipients: 0, ages: [], reasons: [], domainCount: 0, domains: [] };
  return { items: [], sinceMs: [], ...nothing };
}

export const shapeCases: readonly StoreCase[] = [
  {
    title: "what waits is told by domain, reason and age",
    async run(store) {
      const empty = { all: [], domains: [], total: [0, 0, 0, 0], domainCount: 0 };
      assertEquals(await told(store), empty);
      await put(store, 1, { to: ["a@one.example", "b@two.example"] });
      await put(store, 2, { to: ["c@one.example"], ageMs: 2 * HOUR_MS });
      await put(store, 3, { to: ["d@one.example"], ageMs: 9 * HOUR_MS });
      await store.put(messageOf(4, {
        receivedAtMs: LATER_MS,
        to: [recipientOf("e@two.example", { state: "held" })],
      }));
      assertEquals(await told(store), {
        all: ["queued  2 1 1", "held  1 0 0"],
        domains: ["one.example: queued  1 1 1", "two.example: queued  1 0 0, held  1 0 0"],
        total: [5, 3, 1, 1],
        domainCount: 2,
      });
      assertEquals(await told(store, "two.example"), {
        all: ["queued  1 0 0", "held  1 0 0"],
        domains: ["two.example: queued  1 0 0, held  1 0 0"],
        total: [2, 2, 0, 0],
        domainCount: 1,
      });
      assertEquals(await told(store, "none.example"), empty);
    },
  },
  {
    title: "every step of a recipient moves it in what waits",
    async run(store) {
      await put(store, 1, { to: ["a@one.example", "b@one.example", "c@one.example"] });
      await store.claim(claimOf({ nowMs: LATER_MS }));
      const retry = { kind: "retry", nextAttemptAtMs: LATER_MS + 500, counts: true } as const;
      await store.settle(settlementOf(1, {
        recipients: [
          { index: 0, disposition: { kind: "final", state: "delivered" }, reply: "250 ok" },
          { index: 1, disposition: retry, reply: "451 4.7.1 Greylisted, come back" },
          { index: 2, disposition: retry, reply: "Nobody answers" },
        ],
      }));
      assertEquals((await told(store)).all, ["queued 451 4.7.1 1 0 0", "queued other 1 0 0"]);
      const command = { nowMs: LATER_MS, by: "test" };
      await store.command({ ...command, filter: {}, command: { kind: "hold" } });
      assertEquals((await told(store)).all, ["held 451 4.7.1 1 0 0", "held other 1 0 0"]);
      await store.command({ ...command, filter: {}, command: { kind: "release" } });
      assertEquals((await told(store)).total, [2, 2, 0, 0]);
      await store.command({
        ...{ ...command, filter: { ids: [idOf(1)] } },
        command: {
          kind: "readdress",
          remove: "b@one.example",
          add: [{ forwardPath: "z@new.example", domain: "new.example" }],
        },
      });
      assertEquals((await told(store)).domains, [
        "new.example: queued  1 0 0",
        "one.example: queued other 1 0 0",
      ]);
      await store.claim(claimOf({
        nowMs: LATER_MS,
        paused: new Map([["new.example", {
          untilMs: LATER_MS + HOUR_MS,
          reason: "450 4.3.2 wait",
        }]]),
      }));
      assertEquals((await told(store, "new.example")).all, ["queued 450 4.3.2 1 0 0"]);
      await store.command({ ...command, filter: {}, command: { kind: "cancel" } });
      assertEquals((await told(store)).total, [0, 0, 0, 0]);
    },
  },
  {
    title: "a message that is deleted waits no longer, and the largest domains are told first",
    async run(store) {
      await put(store, 1, { to: ["a@one.example"] });
      await put(store, 2, { to: ["a@two.example", "b@two.example", "c@three.example"] });
      const { domains, domainCount } = await store.shape({
        ...{ nowMs: LATER_MS, agesMs: [HOUR_MS], limit: 1 },
      });
      assertEquals([domains.map(({ domain }) => domain), domainCount], [["two.example"], 3]);
      const command = { kind: "delete" } as const;
      await store.command({ filter: { ids: [idOf(2)] }, command, nowMs: LATER_MS, by: "test" });
      assertEquals((await told(store)).domains, ["one.example: queued  1 0 0"]);
    },
  },
];
