import { assertEquals, assertStringIncludes } from "@std/assert";
import type { DestinationStatus, MessageDetail, TimelineEntry } from "../../../src/admin/ports.ts";
import { explain, type Explanation } from "../../../src/admin/views/pages/message/explain.ts";
import { messageOf, NOW_MS } from "../../queue/messages.ts";

type Recipient = MessageDetail["recipients"][number];

function recipient(overrides: Partial<Recipient> = {}): Recipient {
  return {
    index: 0,
    forwardPath: "user@dest.example",
    domain: "dest.example",
    state: "queued",
    attempts: 1,
    nextAttemptAtMs: NOW_MS + 300_000,
    delayNotified: false,
    lastReply: "",
    claimedBy: null,
    ...overrides,
  };
}

function attempt(kind: string, reply: string, atMs = NOW_MS - 60_000): TimelineEntry {
  const outcomes = [{ kind, reply, recipients: [0] }];
  return {
    ...{ atMs, kind: "attempt", recipients: [0] },
    detail: { transport: "out", remote: "mx.dest.example[192.0.2.1]:25", durationMs: 0, outcomes },
  };
}

function explained(
  recipients: readonly Recipient[],
  timeline: readonly TimelineEntry[] = [],
  destinations: readonly DestinationStatus[] = [],
): Explanation {
  const { place: _place, recipients: _recipients, ...message } = messageOf(1);
  const detail: MessageDetail = { message, recipients, timeline, hasBody: true };
  return explain({ detail, destinations, nowMs: NOW_MS });
}

function text({ sentences }: Explanation): string {
  return sentences.map((sentence) => sentence.join("")).join(" ");
}

Deno.test("a message that waits tells the last answer, the next attempt and the wait", () => {
  const explanation = explained([recipient()], [attempt("temporary", "451 4.7.1 Later")]);
  assertEquals(explanation.title, "Waiting to be sent to dest.example");
  assertEquals(explanation.tone, "warn");
  assertStringIncludes(text(explanation), "mx.dest.example deferred it: 451 4.7.1 Later");
  assertStringIncludes(text(explanation), `Attempt 2 comes ${NOW_MS + 300_000}.`);
  assertStringIncludes(text(explanation), "That is 6 min after the last attempt");
});

Deno.test("a destination that is down is the reason", () => {
  const down: DestinationStatus = {
    ...{ transport: "out", name: "dest.example", isDomain: true, state: "down", concurrency: 1 },
    ...{ maxConcurrency: 20, running: 0, waiting: 1, retryAtMs: NOW_MS + 300_000 },
    ...{ lastError: null, lastSuccessAtMs: null, latency: null, pause: null },
    shaping: { limits: [], learned: null, nextAtMs: null },
  };
  const explanation = explained([recipient()], [attempt("broken", "450 No")], [down]);
  assertStringIncludes(text(explanation), "dest.example is down; it is probed");
});

Deno.test("a pause is the reason, with who made it", () => {
  const paused: DestinationStatus = {
    ...{ transport: "out", name: "dest.example", isDomain: true, state: "paused", concurrency: 1 },
    ...{ maxConcurrency: 20, running: 0, waiting: 1, retryAtMs: null },
    ...{ lastError: null, lastSuccessAtMs: null, latency: null },
    shaping: { limits: [], learned: null, nextAtMs: null },
    pause: { reason: "they move", by: "user olivia", sinceMs: NOW_MS, untilMs: null },
  };
  const explanation = explained([recipient()], [], [paused]);
  assertStringIncludes(
    text(explanation),
    "user olivia paused dest.example until an operator resumes it: they move",
  );
});

Deno.test("a claimed recipient is on its way", () => {
  const explanation = explained([recipient({ claimedBy: "node" })]);
  assertEquals(explanation.title, "Sending");
});

Deno.test("a held message says by whom and why, and what to do", () => {
  const held: TimelineEntry = {
    ...{ atMs: NOW_MS, kind: "held", recipients: [] },
    detail: { by: "user olivia", reason: "odd" },
  };
  const explanation = explained([recipient({ state: "held" })], [held]);
  assertEquals(explanation.tone, "hold");
  assertStringIncludes(text(explanation), "Held by user olivia");
  assertStringIncludes(text(explanation), ": odd");
  assertStringIncludes(text(explanation), "Release it");
});

Deno.test("a delivered message tells how long it took", () => {
  const done = attempt("delivered", "250 ok", NOW_MS + 2_501);
  const explanation = explained([recipient({ state: "delivered" })], [done]);
  assertEquals(explanation.title, "Delivered to user@dest.example");
  assertStringIncludes(text(explanation), "2.5 s after it was accepted.");
});

Deno.test("a failure tells the refusal and that the sender is told", () => {
  const refused = attempt("permanent", "550 5.1.1 Nobody");
  const explanation = explained([recipient({ state: "failed" })], [refused]);
  assertEquals(explanation.tone, "bad");
  assertStringIncludes(text(explanation), "refused it permanently: 550 5.1.1 Nobody");
  assertStringIncludes(text(explanation), "The sender, sender@origin.example, is notified");
});

Deno.test("recipients in other states are counted", () => {
  const explanation = explained([
    recipient(),
    recipient({ index: 1, state: "delivered" }),
    recipient({ index: 2, state: "delivered" }),
  ]);
  assertStringIncludes(text(explanation), "Other recipients: 2 delivered.");
});

Deno.test("a timeline that another version wrote breaks nothing", () => {
  const odd: TimelineEntry = {
    ...{ atMs: NOW_MS, kind: "attempt", recipients: [0] },
    detail: { outcomes: [null, 7, { kind: {}, reply: [], recipients: ["x"] }], remote: 3 },
  };
  assertEquals(explained([recipient()], [odd]).tone, "warn");
});
