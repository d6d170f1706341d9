/** When the claimer asks the store, what for, and what wakes it again. */
import { assertEquals } from "@std/assert";
import { LOOK_AGAIN_MS } from "../../src/base/clock.ts";
import { TaskGroup } from "../../src/base/task_group.ts";
import { Claimer } from "../../src/delivery/claimer.ts";
import { ActiveWindow, type WindowEntry } from "../../src/delivery/window.ts";
import type { ClaimedMessage, ClaimRequest, ClaimResult } from "../../src/queue/store.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { freshMessage } from "./scheduler_setup.ts";

const LEASE_MS = 600_000;
const PER_DOMAIN = 4;

/** A message to `count` recipients of a domain. */
function claimedOf(domain: string, count = 1): ClaimedMessage {
  const message = freshMessage({ id: domain, domain, recipients: count, nowMs: 0 });
  const facts = { attempts: 0, delayNotified: false, lastReply: "" };
  return {
    message,
    recipients: message.recipients.map((one, index) => ({ ...one, ...facts, index })),
    bytes: new Uint8Array(10),
  };
}

/** A claimer over a store that answers as a test says; what it asks for is noted. */
function claimerOn(answers: readonly (Partial<ClaimResult> | Error)[] = []) {
  const clock = new ManualClock(1_000_000);
  const waiting = [...answers];
  const claims: ClaimRequest[] = [];
  const calls: string[] = [];
  const errors: unknown[] = [];
  const listeners = new Set<() => void>();
  const window = new ActiveWindow({ recipients: 100, perDomain: PER_DOMAIN, bodyBytes: 50 });
  const entries: WindowEntry[] = [];
  const state = { gateUntilMs: 0, abandoned: 0, renewFails: false };
  const startMs = clock.now();
  const tasks = new TaskGroup((error) => errors.push(error));
  const store = {
    claim(request: ClaimRequest): Promise<ClaimResult> {
      claims.push({ ...request, active: new Map(request.active) });
      calls.push(`claim ${clock.now() - startMs}`);
      const answer = waiting.shift() ?? {};
      if (answer instanceof Error) return Promise.reject(answer);
      return Promise.resolve({ claimed: [], nextDueAtMs: null, ...answer });
    },
    renew({ owner, messageIds, untilMs }: {
      owner: string;
      messageIds: readonly string[];
      untilMs: number;
    }): Promise<void> {
      calls.push(`renew ${owner} ${messageIds.join()} ${untilMs}`);
      return state.renewFails ? Promise.reject(new Error("no")) : Promise.resolve();
    },
    abandon({ owner, endedMs }: { owner: string; endedMs: number }): Promise<number> {
      calls.push(`abandon ${owner} ${endedMs}`);
      return Promise.resolve(state.abandoned);
    },
    onChange(listener: () => void): () => void {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
  const claimer = new Claimer({
    ...{ store: store as never, clock, owner: "node", leaseMs: LEASE_MS, window, tasks },
    ...{ perDomain: PER_DOMAIN, leaseNowMs: () => clock.monotonic() - startMs },
    gateUntilMs: () => state.gateUntilMs,
    paused: () => new Map([["slow.example", { untilMs: 5, reason: "451" }]]),
    onClaimed: (messages) => entries.push(...messages.map((one) => window.enter(one))),
    onHousekeeping: (nowMs) => calls.push(`house ${nowMs - startMs}`),
    onError: (error) => errors.push(error),
  });
  /** Lets recipients of an entry leave the window. */
  const leave = (entry: WindowEntry | undefined, count: number): void => {
    if (entry === undefined) throw new Error("nothing was claimed");
    const { recipients } = claimedOf(entry.message.id, count);
    window.leave(entry, recipients);
    claimer.windowThinned(recipients);
  };
  const claimed = () => calls.filter((call) => call.startsWith("claim"));
  return {
    ...{ clock, claimer, claims, calls, claimed, errors, listeners, window, entries, state },
    ...{ leave, startMs, tasks },
  };
}

Deno.test("a claim asks for what there is room for, and says what is known", async () => {
  const { clock, claimer, claims, window, startMs } = claimerOn([
    { claimed: [claimedOf("a.example", 3)], nextDueAtMs: null },
  ]);
  claimer.start();
  await clock.advance(0);
  claimer.wake();
  await clock.advance(0);
  const request = {
    ...{ nowMs: startMs, owner: "node", leaseMs: LEASE_MS, leaseFromMs: 0 },
    ...{ limit: 100, perDomain: PER_DOMAIN, active: new Map(), bodyBudgetBytes: 50 },
    paused: new Map([["slow.example", { untilMs: 5, reason: "451" }]]),
  };
  assertEquals(claims, [
    request,
    { ...request, limit: 97, bodyBudgetBytes: 40, active: new Map([["a.example", 3]]) },
  ]);
  assertEquals(window.recipients, 3);
});

Deno.test("what is due later is claimed then, once, and the earliest time counts", async () => {
  const { clock, claimer, claimed, startMs } = claimerOn([{ nextDueAtMs: 1_010_000 }]);
  claimer.start();
  await clock.advance(0);
  claimer.wakeAt(startMs + 20_000);
  claimer.wakeAt(startMs + 5_000);
  claimer.wakeAt(startMs + 7_000);
  assertEquals(clock.timers, 3, "renewal, look and one time");
  await clock.advance(LOOK_AGAIN_MS - 1);
  assertEquals(claimed(), ["claim 0", "claim 5000"]);
  claimer.stop();
  assertEquals(clock.timers, 0);
});

Deno.test("claims go on while they bring something and more is due", async () => {
  const { clock, claimer, claimed } = claimerOn([
    { claimed: [claimedOf("a.example")], nextDueAtMs: 1 },
    { claimed: [claimedOf("b.example")], nextDueAtMs: 1_000_000 },
    { nextDueAtMs: 1_000_000 },
    { nextDueAtMs: null },
  ]);
  claimer.start();
  await clock.advance(0);
  assertEquals(claimed().length, 3);
  await clock.advance(999);
  assertEquals(claimed().length, 3, "what is due and not brought is no reason to ask at once");
  await clock.advance(1);
  assertEquals(claimed().length, 4);
});

Deno.test("nothing is claimed while the gate is closed, and all when it opens", async () => {
  const { clock, claimer, claimed, state, startMs } = claimerOn();
  state.gateUntilMs = startMs + 12_000;
  claimer.start();
  await clock.advance(0);
  await clock.advance(0);
  claimer.wake();
  await clock.advance(0);
  await clock.advance(11_999);
  assertEquals(claimed(), []);
  await clock.advance(1);
  assertEquals(claimed(), ["claim 12000"]);
});

Deno.test("a claim that fails is told, and made again", async () => {
  const { clock, claimer, claimed, errors } = claimerOn([new Error("one"), new Error("two")]);
  claimer.start();
  await clock.advance(0);
  await clock.advance(4_999);
  assertEquals([claimed(), errors.length], [["claim 0"], 1]);
  await clock.advance(10_000);
  assertEquals([claimed(), errors.length], [["claim 0", "claim 5000", "claim 10000"], 2]);
});

Deno.test("a window that is full is no reason to ask, one that thins out is", async () => {
  const { clock, claimer, claimed, leave, entries } = claimerOn([
    { claimed: [claimedOf("a.example", 76)], nextDueAtMs: 1 },
  ]);
  claimer.start();
  await clock.advance(0);
  claimer.wake();
  await clock.advance(0);
  assertEquals(claimed().length, 1);
  leave(entries[0], 1);
  await clock.advance(0);
  assertEquals(claimed().length, 2);
  leave(entries[0], 1);
  await clock.advance(0);
  assertEquals(claimed().length, 2, "nothing more is due, and the domain is crowded");
});

Deno.test("a crowded domain is asked for again once half of its places are free", async () => {
  const { clock, claimer, claimed, leave, entries } = claimerOn([
    { claimed: [claimedOf("a.example", PER_DOMAIN), claimedOf("b.example", 3)] },
  ]);
  claimer.start();
  await clock.advance(0);
  leave(entries[1], 3);
  leave(entries[0], 1);
  await clock.advance(0);
  assertEquals(claimed().length, 1);
  leave(entries[0], 1);
  await clock.advance(0);
  assertEquals(claimed().length, 2);
  leave(entries[0], 1);
  await clock.advance(0);
  assertEquals(claimed().length, 2);
});

Deno.test("a change by others is a reason to look, until the claimer stops", async () => {
  const { clock, claimer, claimed, listeners } = claimerOn();
  claimer.start();
  await clock.advance(0);
  for (const listener of listeners) listener();
  await clock.advance(0);
  assertEquals(claimed().length, 2);
  claimer.stop();
  assertEquals(listeners.size, 0);
  claimer.wake();
  claimer.wakeAt(0);
  await clock.advance(0);
  assertEquals([claimed().length, clock.timers], [2, 0]);
});

Deno.test("a claim under way when the claimer stops is the last", async () => {
  const { clock, claimer, claimed } = claimerOn([
    { claimed: [claimedOf("a.example")], nextDueAtMs: 1 },
  ]);
  claimer.start();
  claimer.stop();
  await clock.advance(LOOK_AGAIN_MS);
  assertEquals([claimed().length, clock.timers], [1, 0]);
});

Deno.test("leases are renewed each third of their time, for what is in the window alone", async () => {
  const { clock, claimer, calls, state, errors } = claimerOn([
    { claimed: [claimedOf("a.example"), claimedOf("b.example")] },
  ]);
  state.renewFails = true;
  const renewals = () => calls.filter((call) => /^(renew|abandon)/.test(call));
  claimer.start();
  await clock.advance(199_999);
  assertEquals(renewals(), []);
  await clock.advance(1);
  assertEquals([renewals(), errors.length], [["renew node a.example,b.example 800000"], 1]);
  state.renewFails = false;
  await clock.advance(200_000);
  assertEquals(renewals().slice(1), [
    "renew node a.example,b.example 1000000",
    "abandon node 400000",
  ]);
});

Deno.test("an empty window renews nothing, and what was left over is claimed at once", async () => {
  const { clock, claimer, calls, state } = claimerOn();
  const after = () => calls.slice(calls.findIndex((call) => call.startsWith("abandon")));
  claimer.start();
  await clock.advance(200_000);
  assertEquals(after(), ["abandon node 200000"]);
  calls.length = 0;
  state.abandoned = 1;
  await clock.advance(200_000);
  assertEquals(after(), ["abandon node 400000", "claim 400000"]);
});

Deno.test("the house is kept twice a minute, with a look for what is due", async () => {
  const { clock, claimer, calls } = claimerOn();
  claimer.start();
  await clock.advance(2 * LOOK_AGAIN_MS);
  assertEquals(calls, ["claim 0", "house 30000", "claim 30000", "house 60000", "claim 60000"]);
});
