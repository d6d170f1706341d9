import { assertEquals } from "@std/assert";
import type { Disposition, RecipientState } from "../../src/queue/store.ts";
import {
  commanded,
  readdressed,
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

/** Commands that are no more than a word. */
type PlainCommand = Exclude<RecipientCommand, { kind: "reroute" }>;

function statusOf(state: RecipientState, owner: string | null = null): RecipientStatus {
  return {
    state,
    owner,
    attempts: 2,
    nextAttemptAtMs: 50,
    delayNotified: false,
    released: false,
    returned: false,
    transport: null,
    rerouted: false,
    doubts: 0,
    lastReply: "451 before",
  };
}

function after(status: RecipientStatus, disposition: Disposition): RecipientState | null {
  const facts = { disposition, reply: "reply", owner: "me", transport: undefined };
  return settled(status, facts)?.state ?? null;
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
  const facts = { disposition, reply: undefined, owner: "me", transport: "mx" };
  const next = settled(statusOf("queued", "me"), facts);
  assertEquals(next, { ...statusOf("queued"), attempts: 3, nextAttemptAtMs: 99, transport: "mx" });
});

Deno.test("transition: what each command does in each state", () => {
  const table: Record<PlainCommand["kind"], readonly (RecipientState | null)[]> = {
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
  const run = (kind: PlainCommand["kind"]) => commanded(claimed, { command: { kind }, nowMs: 40 });
  assertEquals(run("hold")?.owner, null);
  assertEquals(run("cancel")?.owner, null);
  assertEquals(run("bounce")?.owner, null);
  assertEquals(run("retry"), null);
});

Deno.test("transition: rerouting leaves claims, makes what waits due, and can be undone", () => {
  const run = (from: RecipientStatus, transport: string | null) =>
    commanded(from, { command: { kind: "reroute", transport }, nowMs: 40 });
  const there = run(statusOf("queued"), "backup");
  assertEquals(there, {
    ...statusOf("queued"),
    ...{ transport: "backup", rerouted: true, nextAttemptAtMs: 40 },
  });
  assertEquals(run(statusOf("queued", "me"), "backup")?.owner, "me");
  assertEquals(run(statusOf("queued", "me"), "backup")?.nextAttemptAtMs, 50);
  assertEquals(run(statusOf("held"), "backup")?.state, "held");
  assertEquals(run(statusOf("failed"), "backup"), null);
  assertEquals(run(statusOf("queued"), null), null);
  assertEquals(there === null ? null : run(there, "backup"), null);
  assertEquals(there === null ? null : run(there, null)?.rerouted, false);
});

Deno.test("transition: a readdressing gives nobody a message twice", () => {
  const people = (["queued", "delivered", "held", "failed"] as const)
    .map((state, index) => ({ index, forwardPath: `r${index}@dest.example`, state }));
  const run = (add: readonly string[], remove?: string) =>
    readdressed(people, {
      command: {
        add: add.map((forwardPath) => ({ forwardPath, domain: "dest.example" })),
        ...(remove === undefined ? {} : { remove }),
      },
      fits: (index) => index !== 2,
    });
  const added = run(["R0@dest.example", "r1@dest.example", "r3@dest.example", "n@dest.example"]);
  assertEquals(added?.add.map(({ forwardPath }) => forwardPath), [
    "r3@dest.example",
    "n@dest.example",
  ]);
  assertEquals(run(["n@dest.example"], "R0@DEST.example")?.cancel, [0]);
  assertEquals(run(["n@dest.example"], "r1@dest.example"), null, "it was delivered");
  assertEquals(run(["n@dest.example"], "r2@dest.example"), null, "the filter does not mean it");
  assertEquals(run(["r0@dest.example"], "r0@dest.example")?.add.length, 1);
});
