import { assertEquals, assertRejects } from "@std/assert";
import { type Feedback, FeedbackDesk } from "../../src/feedback/desk.ts";
import { Receiver } from "../../src/provider_events/receiver.ts";
import type { EventSource, ProviderReport } from "../../src/provider_events/source.ts";
import { openMemoryStore } from "../../src/queue/memory/store.ts";
import { remoteIdRecord } from "../../src/queue/remote_ids.ts";
import { StoreError } from "../../src/queue/store.ts";
import { SuppressionList } from "../../src/queue/suppressions.ts";
import { recordEvent } from "../../src/webhooks/event_body.ts";
import { idOf, messageOf, settlementOf } from "../queue/messages.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { NOW_MS, requestOf } from "./support.ts";

const REPORT: ProviderReport = {
  ...{ key: "event-1", kind: "bounced", recipient: "user@dest.example" },
  ...{ queueId: null, remoteId: null, reason: "550 5.1.1 No such user" },
};
const RULES = {
  ...{ suppressBouncedMs: null, suppressComplainedMs: null, suppressSoftMs: 1000 },
  soft: { limit: 0, windowMs: 1000 },
};

/** A relay that sent message 1 to three recipients, two of them under the name `re:1`. */
async function bench() {
  const clock = new ManualClock(NOW_MS);
  const store = openMemoryStore({ clock });
  const to = ["user@dest.example", "other@dest.example", "third@dest.example"];
  await store.put(messageOf(1, { to }));
  const records = [
    remoteIdRecord("re:1", { messageId: idOf(1), recipients: [0, 1], nowMs: NOW_MS }),
    remoteIdRecord("re:2", { messageId: idOf(1), recipients: [2], nowMs: NOW_MS }),
    remoteIdRecord("re:gone", { messageId: idOf(9), recipients: [0], nowMs: NOW_MS }),
    remoteIdRecord("re:gone2", { messageId: idOf(9), recipients: [0, 1], nowMs: NOW_MS }),
  ];
  await store.settle(settlementOf(1, { recipients: [], records }));
  const suppressions = new SuppressionList({ shelf: store.shelf, clock });
  const desk = new FeedbackDesk({
    ...{ store, suppressions, clock, record: recordEvent, emit: () => {}, rules: () => RULES },
  });
  const taken: Feedback[] = [];
  const receiver = new Receiver({
    ...{ store, clock },
    desk: {
      take(feedback) {
        taken.push(feedback);
        return desk.take(feedback);
      },
    },
  });
  const receive = (...reports: ProviderReport[]) => {
    const source: EventSource = { name: "re", read: () => ({ kind: "reports", reports }) };
    return receiver.receive(source, requestOf("{}"));
  };
  const timeline = async () =>
    (await store.get(idOf(1)))?.timeline.map(({ kind, recipients }) => [kind, ...recipients]);
  const suppressed = async () =>
    (await suppressions.list({ limit: 10 })).items.map(({ address }) => address);
  return { store, taken, receive, timeline, suppressed };
}

Deno.test("provider events: a report finds its message by either name", async () => {
  const { store, receive, timeline } = await bench();
  await using _store = store;
  const reports = [
    { ...REPORT, queueId: idOf(1), key: "a" },
    { ...REPORT, remoteId: "re:1", recipient: "other@dest.example", key: "b" },
    { ...REPORT, queueId: idOf(1), remoteId: "re:unknown", key: "c" },
    { ...REPORT, queueId: "of another relay", remoteId: "re:1", key: "d" },
  ];
  for (const report of reports) {
    assertEquals(await receive(report), { kind: "taken", reports: 1 });
  }
  assertEquals(await timeline(), [
    ...[["bounced", 0], ["bounced", 1], ["bounced", 0], ["bounced", 0]],
  ]);
});

Deno.test("provider events: what is told again is taken once, within a batch, too", async () => {
  const { store, receive, timeline, suppressed } = await bench();
  await using _store = store;
  const batch = [
    { ...REPORT, remoteId: "re:1" },
    { ...REPORT, remoteId: "re:1" },
    { ...REPORT, remoteId: "re:1", recipient: "other@dest.example", key: "event-2" },
  ];
  await Promise.all([receive(...batch), receive(...batch)]);
  await receive(...batch);
  assertEquals(await timeline(), [["bounced", 0], ["bounced", 1]]);
  assertEquals(await suppressed(), ["other@dest.example", "user@dest.example"]);
  assertEquals((await store.outbox.read({ after: 0, limit: 10 })).length, 2);
});

Deno.test("provider events: late news of a message that is gone still suppresses", async () => {
  const { store, receive, suppressed, taken } = await bench();
  await using _store = store;
  await receive({ ...REPORT, remoteId: "re:gone" });
  await receive({ ...REPORT, key: "event-2", recipient: "else@dest.example" });
  assertEquals(await suppressed(), ["else@dest.example", "user@dest.example"]);
  assertEquals(taken.map(({ messageId }) => messageId), [null, null]);
});

Deno.test("provider events: where it is not said who it is, nobody is suppressed", async () => {
  const { store, receive, suppressed, taken, timeline } = await bench();
  await using _store = store;
  const unsaid: ProviderReport = { ...REPORT, recipient: null, candidates: ["User@dest.example"] };
  const told = async (report: Partial<ProviderReport>): Promise<(string | undefined)[]> => {
    await receive({ ...unsaid, key: `event-${taken.length}`, ...report });
    return [taken.at(-1)?.recipient, taken.at(-1)?.reason];
  };
  assertEquals(await told({ remoteId: "re:1" }), [
    "",
    "one of user@dest.example, other@dest.example: 550 5.1.1 No such user",
  ]);
  assertEquals(await told({ queueId: idOf(1), reason: "" }), [
    "",
    "one of user@dest.example, other@dest.example, third@dest.example",
  ]);
  assertEquals((await told({ remoteId: "re:gone2" }))[0], "");
  assertEquals((await told({ candidates: ["a@x.example", "b@x.example"] }))[0], "");
  assertEquals((await told({ candidates: [] }))[0], "");
  assertEquals(await suppressed(), []);
  assertEquals(await timeline(), [["bounced"], ["bounced"]]);
  assertEquals((await told({ remoteId: "re:2" }))[0], "third@dest.example");
  assertEquals((await told({ remoteId: "re:gone" }))[0], "User@dest.example");
  assertEquals((await told({}))[0], "User@dest.example");
  assertEquals(await suppressed(), ["third@dest.example", "user@dest.example"]);
});

Deno.test("provider events: what is no mailbox is not put on the list, nor a long id kept", async () => {
  const { store, receive, suppressed, taken } = await bench();
  await using _store = store;
  for (const recipient of ["", "no mailbox", "a".repeat(100_000), "a@b@c", "\r\n@x.example"]) {
    await receive({ ...REPORT, recipient, key: recipient });
  }
  assertEquals(await suppressed(), []);
  assertEquals(
    taken.every(({ recipient, key = "" }) => recipient === "" && key.length < 201),
    true,
  );
  await receive({ ...REPORT, recipient: "grüße@dest.example", key: "event-2" });
  assertEquals(await suppressed(), ["grüße@dest.example"]);
});

Deno.test("provider events: a large batch does not stand in a line", async () => {
  const { store, receive, suppressed } = await bench();
  await using _store = store;
  const reports = Array.from({ length: 1_000 }, (_, index): ProviderReport => ({
    ...{ ...REPORT, key: `event-${index}`, recipient: `user${index}@dest.example` },
    kind: index === 999 ? "bounced" : "delivered",
  }));
  assertEquals(await receive(...reports), { kind: "taken", reports: 1_000 });
  assertEquals(await suppressed(), ["user999@dest.example"]);
});

Deno.test("provider events: what cannot be stored is not taken", async () => {
  const { store, receive } = await bench();
  await store[Symbol.asyncDispose]();
  await assertRejects(() => receive(REPORT), StoreError);
});
