import { assertEquals } from "@std/assert";
import type { Disposition, RecipientState } from "../../src/queue/store.ts";
import {
  commanded,
  type RecipientCommand,
  type RecipientStatus,
  settled,
} from "../../src/queue/transition.ts";

const ALL: readonly RecipientState[] = [
  "queued",
  "held",
  "delivered",
  "failed",
  "expired",
  "cancelled",
];

function statusOf(state: RecipientState, owner: string | null = null): RecipientStatus {
  return {
    state,
    owner,
    attempts: 2,
    nextAttemptAtMs: 50,
    delayNotified: false,
    released: false,
    returned: false,
    lastReply: "451 before",
  };
}

function after(status: RecipientStatus, disposition: Disposition): RecipientState | null {
  return settled(status, { disposition, reply: "reply", owner: "me" })?.state ?? null;
}

Deno.test("transition: a delivery is recorded from every state but delivered", () => {
  const delivered = { kind: "final", state: "delivered" } as const;
  for (const state of ALL) {
    assertEquals(after(statusOf(state), delivered), state === "delivered" ? null : "delivered");
  }
  assertEquals(after(statusOf("queued", "other"), delivered), "delivered");
});

Deno.test("transition: any other outcome needs the claim", () => {
  const others: readonly Disposition[] = [
    { kind: "retry", nextAttemptAtMs: 99, counts: true },
    { kind: "hold" },
    { kind: "final", state: "failed" },
    { kind: "final", state: "expired" },
    { kind: "final", state: "cancelled" },
  ];
  const expected: RecipientState[] = ["queued", "held", "failed", "expired", "cancelled"];
  assertEquals(others.map((other) => after(statusOf("queued", "me"), other)), expected);
  for (const state of ALL) {
    for (const other of others) assertEquals(after(statusOf(state), other), null);
  }
  for (const other of others) assertEquals(after(statusOf("queued", "other"), other), null);
});

Deno.test("transition: settling ends the claim", () => {
  const disposition = { kind: "retry", nextAttemptAtMs: 99, counts: true } as const;
  const next = settled(statusOf("queued", "me"), { disposition, reply: undefined, owner: "me" });
  assertEquals(next, { ...statusOf("queued"), attempts: 3, nextAttemptAtMs: 99 });
});

Deno.test("transition: what each command does in each state", () => {
  const table: Record<RecipientCommand["kind"], readonly (RecipientState | null)[]> = {
    retry: ["queued", null, null, null, null, null],
    hold: ["held", null, null, null, null, null],
    release: [null, "queued", null, null, null, null],
    cancel: ["cancelled", "cancelled", null, null, null, null],
    bounce: ["queued", "queued", null, null, null, null],
  };
  for (const kind of ["retry", "hold", "release", "cancel", "bounce"] as const) {
    const results = ALL.map((state) =>
      commanded(statusOf(state), { command: { kind }, nowMs: 40 })?.state ?? null
    );
    assertEquals(results, [...table[kind]], kind);
  }
});

Deno.test("transition: hold and cancel take a claim away, retry leaves it", () => {
  const claimed = statusOf("queued", "me");
  const run = (kind: RecipientCommand["kind"]) =>
    commanded(claimed, { command: { kind }, nowMs: 40 });
  assertEquals(run("hold")?.owner, null);
  assertEquals(run("cancel")?.owner, null);
  assertEquals(run("bounce")?.owner, null);
  assertEquals(run("retry"), null);
});
