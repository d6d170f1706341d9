/** What the settler writes, and what it does while the store does not take it. */
import { assertEquals } from "@std/assert";
import { TaskGroup } from "../../src/base/task_group.ts";
import { retryPolicy } from "../../src/delivery/retry.ts";
import { Settler, type Verdict } from "../../src/delivery/settler.ts";
import type { Outcome } from "../../src/delivery/transport.ts";
import { ActiveWindow, type WindowEntry } from "../../src/delivery/window.ts";
import { seededRandom } from "../../src/base/random.ts";
import { reply } from "../../src/mail/reply.ts";
import { openMemoryStore } from "../../src/queue/memory/store.ts";
import { DEFAULT_RETRY_SCHEDULE } from "../../src/queue/schedule.ts";
import { type RecipientRecord, type Settlement, StoreError } from "../../src/queue/store.ts";
import type { RelayEvent } from "../../src/observe/events.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { DELIVERED, freshMessage, GREYLISTED, UNREACHABLE } from "./scheduler_setup.ts";

const WINDOW = { recipients: 10, perDomain: 10, bodyBytes: 1_000 };
const DOUBTFUL = new StoreError("unavailable", "the worker died", { mayBeDone: true });
const REFUSED = new StoreError("full", "no space");

/** A settler over a store that fails as told, and a message with so many recipients. */
function settlerOn(failures: (Error | null)[], count = 1) {
  const clock = new ManualClock();
  const settled: Settlement[] = [];
  const store = {
    ...openMemoryStore({ clock }),
    settle(settlement: Settlement): Promise<void> {
      settled.push(settlement);
      const failure = failures.shift() ?? null;
      return failure === null ? Promise.resolve() : Promise.reject(failure);
    },
  };
  const events: RelayEvent[] = [];
  const ended: (readonly [count: number, dueMs: number | null, notified: boolean])[] = [];
  const abort = new AbortController();
  const tasks = new TaskGroup((error) => {
    throw error;
  });
  const schedule = { ...DEFAULT_RETRY_SCHEDULE, jitter: 0 };
  const settler = new Settler({
    ...{ store: store as never, clock, owner: "node", tasks, signal: abort.signal },
    emit: (event) => events.push(event),
    record: ({ type, messageId }) => ({ messageId, atMs: 1, type, body: "" }),
    retry: retryPolicy({ schedule, clock, random: seededRandom(1) }),
    notifications: () => [],
    onSettled: (_, { recipients, nextAttemptAtMs, notified }) =>
      ended.push([recipients.length, nextAttemptAtMs, notified]),
  });
  const nowMs = clock.now();
  const message = freshMessage({ id: "ONE", domain: "a.example", recipients: count, nowMs });
  const recipients = message.recipients.map((one, index): RecipientRecord => ({
    ...{ ...one, index, attempts: 0, delayNotified: false, lastReply: "" },
  }));
  const entry: WindowEntry = new ActiveWindow(WINDOW).enter({ message, recipients });
  const verdictOf = (...outcomes: readonly Outcome[]): Verdict => ({
    ...{ recipients, outcomes, transport: "out", destination: "a.example", report: null },
    ...{ timeline: [], keepsPlace: false },
  });
  return { clock, settler, settled, events, ended, abort, tasks, entry, recipients, verdictOf };
}

Deno.test("a settlement that may have been made is repeated as such, whichever step fails next", async () => {
  const made = settlerOn([REFUSED, DOUBTFUL, REFUSED]);
  made.settler.settle(made.entry, made.verdictOf(DELIVERED));
  assertEquals([...made.settler.pending].length, 1);
  await made.clock.advance(0);
  await made.clock.advance(2_999);
  assertEquals([made.settled.length, made.ended], [3, []]);
  await made.clock.advance(1);
  assertEquals(made.settled.map(({ again }) => again), [undefined, undefined, true, true]);
  assertEquals(made.ended, [[1, null, false]]);
  assertEquals([...made.settler.pending], []);
  assertEquals(made.clock.timers, 0);
  assertEquals(made.events.map((event) => [event.type, "messageId" in event && event.messageId]), [
    ["delivered", "ONE"],
    ["trouble", "ONE"],
    ["trouble", "ONE"],
    ["trouble", "ONE"],
  ]);
});

Deno.test("a relay that stops waits for no store between two tries", async () => {
  const made = settlerOn([REFUSED, REFUSED, REFUSED]);
  made.settler.settle(made.entry, made.verdictOf(DELIVERED));
  await made.clock.advance(0);
  await made.clock.advance(500);
  made.abort.abort();
  await made.tasks.idle();
  assertEquals([made.settled.length, made.clock.timers], [2, 0]);
  assertEquals([...made.settler.pending], []);
});

Deno.test("each recipient is settled by its own outcome, and the next is due when the first is", async () => {
  const late = { ...GREYLISTED, retryAfterMs: 3_600_000 } as Outcome;
  const refused: Outcome = { kind: "permanent", reply: reply(550, "5.1.1", "No") };
  const unsuitable: Outcome = { kind: "unsuitable", reply: reply(552, "5.3.4", "Too large") };
  const made = settlerOn([], 6);
  const verdict = made.verdictOf(DELIVERED, late, GREYLISTED, refused, unsuitable);
  made.settler.settle(made.entry, verdict);
  await made.clock.advance(0);
  const nowMs = made.clock.now();
  const [settlement] = made.settled;
  assertEquals([settlement?.messageId, settlement?.owner, settlement?.transport], [
    ...["ONE", "node", "out"],
  ]);
  const retry = (afterMs: number) => ({
    ...{ kind: "retry", nextAttemptAtMs: nowMs + afterMs, counts: true } as const,
  });
  assertEquals(settlement?.recipients, [
    {
      ...{ index: 0, reply: "250 2.0.0 OK" },
      disposition: { kind: "final", state: "delivered" },
    },
    { index: 1, disposition: retry(3_600_000), reply: "451 4.7.1 Greylisted" },
    { index: 2, disposition: retry(60_000), reply: "451 4.7.1 Greylisted" },
    { index: 3, disposition: { kind: "final", state: "failed" }, reply: "550 5.1.1 No" },
    { index: 4, disposition: { kind: "final", state: "failed" }, reply: "552 5.3.4 Too large" },
    {
      ...{ index: 5, disposition: retry(60_000) },
      reply: "451 4.3.0 Internal error, see the relay's log",
    },
  ]);
  assertEquals(settlement?.events?.map(({ type }) => type), [
    ...["delivered", "deferred", "deferred", "bounced", "bounced", "deferred"],
  ]);
  assertEquals(made.ended, [[6, nowMs + 60_000, false]]);
});

Deno.test("waiting for a limit of ours is no news, all else is", async () => {
  const limit = { ...GREYLISTED, counts: false, retryAfterMs: 1_000 } as Outcome;
  const made = settlerOn([], 2);
  const verdict = made.verdictOf(limit, DELIVERED);
  made.settler.settle(made.entry, { ...verdict, isQuiet: true, transport: "" });
  await made.clock.advance(0);
  assertEquals(made.events.map(({ type }) => type), ["delivered"]);
  assertEquals(made.settled[0]?.events?.map(({ type }) => type), ["delivered"]);
  assertEquals("transport" in (made.settled[0] ?? {}), false);
});

Deno.test("what is held is told, recorded, and not due", async () => {
  const made = settlerOn([], 2);
  const why = reply(450, "4.7.0", "Held by route quarantine");
  made.settler.hold(made.entry, { recipients: made.recipients.slice(1), why, kind: "captured" });
  await made.clock.advance(0);
  const reason = "450 4.7.0 Held by route quarantine";
  assertEquals(made.events, [{ type: "held", messageId: "ONE", by: "delivery", reason }]);
  const [settlement] = made.settled;
  assertEquals(settlement?.recipients, [
    { index: 1, disposition: { kind: "hold" }, reply: reason },
  ]);
  assertEquals(settlement?.timeline, [
    { atMs: made.clock.now(), kind: "captured", recipients: [1], detail: { reason } },
  ]);
  assertEquals(settlement?.events?.map(({ type }) => type), ["held"]);
  assertEquals(made.ended, [[1, null, false]]);
});

Deno.test("recipients that keep their place stay due as they were", async () => {
  const limit: Outcome = { ...UNREACHABLE, scope: "transport" } as Outcome;
  const made = settlerOn([], 1);
  made.settler.settle(made.entry, { ...made.verdictOf(limit), keepsPlace: true });
  await made.clock.advance(0);
  const [recipient] = made.settled[0]?.recipients ?? [];
  const nextAttemptAtMs = made.clock.now();
  assertEquals(recipient?.disposition, { kind: "retry", nextAttemptAtMs, counts: false });
  assertEquals(made.ended, [[1, nextAttemptAtMs + 60_000, false]]);
});
