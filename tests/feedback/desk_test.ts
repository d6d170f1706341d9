import { assert, assertEquals } from "@std/assert";
import type { Clock } from "../../src/base/clock.ts";
import { type Feedback, FeedbackDesk } from "../../src/feedback/desk.ts";
import type { RelayEvent } from "../../src/observe/events.ts";
import { openMemoryStore } from "../../src/queue/memory/store.ts";
import { SuppressionList } from "../../src/queue/suppressions.ts";
import type { QueueStore } from "../../src/queue/store.ts";
import { recordEvent } from "../../src/webhooks/event_body.ts";
import { StoreFolder } from "../queue/folder.ts";
import { claimOf, idOf, messageOf, NOW_MS, settlementOf } from "../queue/messages.ts";
import { ManualClock } from "../support/manual_clock.ts";

const DAY_MS = 86_400_000;
const RULES = {
  ...{
    suppressBouncedMs: 180 * DAY_MS,
    suppressComplainedMs: null,
    suppressSoftMs: 7 * DAY_MS,
  },
  soft: { limit: 3, windowMs: 2 * DAY_MS },
};
const BOUNCE: Feedback = {
  ...{
    kind: "bounced",
    recipient: "User@dest.example",
    messageId: idOf(1),
    source: "bounce",
  },
  reason: "550 5.1.1 No such user",
};
const SOFT: Feedback = {
  ...BOUNCE,
  kind: "soft_bounced",
  reason: "452 4.2.2 Mailbox full",
};

function deskOver(store: QueueStore, clock: Clock) {
  const events: RelayEvent[] = [];
  const suppressions = new SuppressionList({ shelf: store.shelf, clock });
  const desk = new FeedbackDesk({
    ...{ store, suppressions, clock, record: recordEvent },
    emit: (event) => events.push(event),
    rules: () => RULES,
  });
  return { desk, suppressions, events };
}

/** Runs a test with each kind of store, in which one message was delivered. */
function forEachStore(
  name: string,
  run: (
    made: ReturnType<typeof deskOver> & {
      store: QueueStore;
      clock: ManualClock;
    },
  ) => unknown,
): void {
  const inStore = async (
    store: QueueStore,
    clock: ManualClock,
  ): Promise<void> => {
    await store.put(
      messageOf(1, { to: ["other@dest.example", "user@dest.example"] }),
    );
    await store.claim(claimOf());
    const final = { kind: "final", state: "delivered" } as const;
    const recipients = [0, 1].map((index) => ({
      index,
      disposition: final,
      reply: "250 ok",
    }));
    await store.settle(settlementOf(1, { recipients }));
    await run({ ...deskOver(store, clock), store, clock });
  };
  Deno.test(`feedback, memory store: ${name}`, async () => {
    const clock = new ManualClock();
    await using store = openMemoryStore({ clock });
    await inStore(store, clock);
  });
  Deno.test(`feedback, sqlite store: ${name}`, async () => {
    const clock = new ManualClock();
    await using folder = await StoreFolder.make();
    await using store = await folder.open({ clock });
    await inStore(store, clock);
  });
}

forEachStore(
  "a bounce is on the list, in the timeline, in the log and in the outbox",
  async (
    { desk, suppressions, events, store, clock },
  ) => {
    assertEquals(await desk.take(BOUNCE), { kind: "taken", suppressed: true });
    assertEquals(await suppressions.find("user@dest.example"), {
      address: "user@dest.example",
      ...{ reason: "550 5.1.1 No such user", source: "bounce" },
      ...{ addedAtMs: clock.now(), expiresAtMs: clock.now() + 180 * DAY_MS },
    });
    const detail = await store.get(idOf(1));
    const entry = detail?.timeline.find(({ kind }) => kind === "bounced");
    assertEquals(entry?.recipients, [1]);
    assertEquals(entry?.detail["reason"], "550 5.1.1 No such user");
    assertEquals(events.map(({ type }) => type), ["feedback"]);
    const [told] = await store.outbox.read({ after: 0, limit: 10 });
    assertEquals(told?.type, "bounced");
    const body = JSON.parse(told?.body ?? "");
    assertEquals(body.message.subject, "Message 1");
    assertEquals([body.recipient, body.permanent, body.suppressed], [
      BOUNCE.recipient,
      true,
      true,
    ]);
  },
);

forEachStore(
  "what a source tells twice is taken once",
  async ({ desk, store }) => {
    assertEquals(
      (await desk.take({ ...BOUNCE, key: "event-1" })).kind,
      "taken",
    );
    assertEquals(await desk.take({ ...BOUNCE, key: "event-1" }), {
      kind: "known",
    });
    assertEquals(
      (await desk.take({ ...BOUNCE, key: "event-1", source: "other" })).kind,
      "taken",
    );
    assertEquals((await store.outbox.read({ after: 0, limit: 10 })).length, 2);
  },
);

forEachStore(
  "soft bounces suppress when there are enough within the time",
  async (
    { desk, suppressions, clock },
  ) => {
    await desk.take(SOFT);
    await clock.advance(2 * DAY_MS + 1); // the first one is forgotten
    await desk.take(SOFT);
    const [second] = await Promise.all([desk.take(SOFT), clock.advance(0)]);
    assertEquals(second, { kind: "taken", suppressed: false });
    assertEquals(await desk.take(SOFT), { kind: "taken", suppressed: true });
    const found = await suppressions.find("user@dest.example");
    assertEquals(
      found?.reason,
      "3 soft bounces, the last: 452 4.2.2 Mailbox full",
    );
    assertEquals(found?.expiresAtMs, clock.now() + 7 * DAY_MS);
    await suppressions.remove("user@dest.example");
    assertEquals(await desk.take(SOFT), { kind: "taken", suppressed: false }); // counted anew
  },
);

forEachStore("a complaint outlasts a bounce, and not the other way", async (
  { desk, suppressions },
) => {
  const complaint: Feedback = {
    ...{ ...BOUNCE, kind: "complained", source: "complaint", reason: "abuse" },
  };
  await desk.take(BOUNCE);
  await desk.take(complaint);
  await desk.take(BOUNCE);
  const found = await suppressions.find("user@dest.example");
  assertEquals([found?.source, found?.expiresAtMs], ["complaint", null]);
});

forEachStore(
  "what nobody knows the message of is told all the same",
  async ({ desk, store }) => {
    await desk.take({ ...BOUNCE, messageId: null });
    await desk.take({ ...BOUNCE, messageId: idOf(99), kind: "complained" });
    const told = await store.outbox.read({ after: 0, limit: 10 });
    assertEquals(told.map(({ type, messageId }) => [type, messageId]), [
      ["bounced", ""],
      ["complained", idOf(99)],
    ]);
  },
);

forEachStore(
  "news of mail that may have left end its wait, but for those that are tried",
  async (
    { desk, store, events },
  ) => {
    const to = [
      "waits@x.example",
      "held@x.example",
      "tried@x.example",
      "told@x.example",
    ];
    await store.put(messageOf(2, { to }));
    await store.claim(claimOf());
    const retry = {
      kind: "retry",
      nextAttemptAtMs: NOW_MS + 60_000,
      counts: true,
    } as const;
    await store.settle(settlementOf(2, {
      recipients: [
        { index: 0, disposition: retry, reply: "451 4.4.2 Lost the answer" },
        {
          index: 1,
          disposition: { kind: "hold" },
          reply: "451 4.4.2 Lost the answer",
        },
        { index: 3, disposition: retry, reply: "451 4.4.2 Lost the answer" },
      ],
    }));
    const news = { messageId: idOf(2), source: "mg", reason: "250 ok" };
    await desk.take({
      ...news,
      kind: "delivered",
      recipient: "waits@x.example",
    });
    await desk.take({ ...news, kind: "deferred", recipient: "held@x.example" });
    await desk.take({
      ...news,
      kind: "delivered",
      recipient: "tried@x.example",
    });
    await desk.take({
      ...news,
      kind: "soft_bounced",
      recipient: "told@x.example",
    });
    const recipients = (await store.get(idOf(2)))?.recipients ?? [];
    assertEquals(recipients.map(({ state }) => state), [
      "delivered",
      "delivered",
      "queued",
      "queued",
    ]);
    assertEquals(recipients[2]?.claimedBy, "node-a");
    const told = events.filter(({ type }) => type === "delivered");
    assertEquals(told.length, 2);
    assertEquals(
      (await store.outbox.read({ after: 0, limit: 10 })).map(({ type }) => type),
      [
        ...["delivered", "delivered", "bounced"],
      ],
    );
  },
);

forEachStore(
  "reasons cannot break a line, nor grow without end",
  async ({ desk, events }) => {
    await desk.take({
      ...BOUNCE,
      reason: `bad\r\n\u001b[2J${"x".repeat(1_000)}`,
    });
    const [event] = events;
    assert(event?.type === "feedback" && event.reason.length <= 300);
    assert(
      ["\r", "\n", "\u001b"].every((control) => !event.reason.includes(control)),
    );
  },
);

forEachStore(
  "what was taken is known for thirty days",
  async ({ desk, clock }) => {
    await desk.take({ ...BOUNCE, key: "event-1" });
    await clock.advance(30 * DAY_MS - 1);
    assertEquals((await desk.take({ ...BOUNCE, key: "event-1" })).kind, "known");
    await clock.advance(1);
    assertEquals((await desk.take({ ...BOUNCE, key: "event-1" })).kind, "taken");
  },
);

forEachStore(
  "what has no message is known, too",
  async ({ desk, store }) => {
    const news = { ...BOUNCE, messageId: null, key: "event-1" };
    assertEquals((await desk.take(news)).kind, "taken");
    assertEquals((await desk.take(news)).kind, "known");
    assertEquals((await store.outbox.read({ after: 0, limit: 10 })).length, 1);
  },
);

forEachStore(
  "who is not named, and what is only late, suppresses nobody",
  async ({ desk, suppressions, store }) => {
    const results = [
      await desk.take({ ...BOUNCE, recipient: "" }),
      await desk.take({ ...BOUNCE, kind: "deferred" }),
      await desk.take({ ...BOUNCE, kind: "delivered" }),
    ];
    assertEquals(results, Array(3).fill({ kind: "taken", suppressed: false }));
    assertEquals(await suppressions.find(BOUNCE.recipient), null);
    const entry = (await store.get(idOf(1)))?.timeline.find(({ kind }) => kind === "bounced");
    assertEquals(entry?.detail, { source: "bounce", reason: BOUNCE.reason });
  },
);

forEachStore(
  "who opts out is suppressed as who complains",
  async ({ desk, suppressions }) => {
    const optOut: Feedback = { ...BOUNCE, kind: "unsubscribed", source: "complaint" };
    assertEquals(await desk.take(optOut), { kind: "taken", suppressed: true });
    assertEquals((await suppressions.find(BOUNCE.recipient))?.expiresAtMs, null);
  },
);

forEachStore(
  "a bounce that this relay told itself is put on the list alone, in one line",
  async ({ desk, suppressions, events, clock }) => {
    const facts = { recipient: BOUNCE.recipient, source: "bounce" };
    assertEquals(await desk.suppress({ ...facts, reason: `no\r\n${"x".repeat(400)}` }), true);
    const found = await suppressions.find(BOUNCE.recipient);
    assertEquals(found?.expiresAtMs, clock.now() + 180 * DAY_MS);
    assert((found?.reason.length ?? 0) <= 300 && !found?.reason.includes("\n"));
    assertEquals(await desk.suppress({ ...facts, reason: "again" }), false);
    await clock.advance(1);
    assertEquals(await desk.suppress({ ...facts, reason: "later" }), true);
    assertEquals(events, []);
  },
);

forEachStore(
  "what a store cannot keep is an error of that news alone, and may be told again",
  async ({ desk, store, suppressions }) => {
    const get = store.shelf.get.bind(store.shelf);
    store.shelf.get = () => Promise.reject(new Error("no"));
    const first = desk.take({ ...BOUNCE, key: "event-1" }).catch((error: Error) => error.message);
    const second = desk.take({ ...BOUNCE, key: "event-1" }).catch((error: Error) => error.message);
    assertEquals(await Promise.all([first, second]), ["no", "no"]);
    store.shelf.get = get;
    assertEquals((await desk.take({ ...BOUNCE, key: "event-1" })).kind, "taken");
    assert(await suppressions.find(BOUNCE.recipient) !== null);
  },
);

forEachStore(
  "news of one mailbox are taken one after the other, whoever tells them",
  async ({ desk }) => {
    const soft = Array.from({ length: 5 }, (_, n) => desk.take({ ...SOFT, source: `s${n}` }));
    const results = await Promise.all(soft);
    assertEquals(
      results.map((one) => one.kind === "taken" && one.suppressed),
      [false, false, true, false, false],
    );
  },
);

Deno.test("feedback: soft bounces count for nothing where the limit is 0", async () => {
  const clock = new ManualClock();
  await using store = openMemoryStore({ clock });
  const suppressions = new SuppressionList({ shelf: store.shelf, clock });
  const desk = new FeedbackDesk({
    ...{ store, suppressions, clock, record: recordEvent, emit: () => {} },
    rules: () => ({ ...RULES, soft: { limit: 0, windowMs: DAY_MS } }),
  });
  for (let time = 0; time < 5; time++) {
    assertEquals(await desk.take(SOFT), { kind: "taken", suppressed: false });
  }
});
