/** One attempt over several hosts: who is asked of whom, and what each recipient ends with. */
import { assertEquals } from "@std/assert";
import { Attempt } from "../../../src/delivery/smtp/attempt.ts";
import { FailureMemory } from "../../../src/delivery/smtp/failure_memory.ts";
import { hostTarget } from "../../../src/delivery/smtp/hosts.ts";
import { judge, takenAtOnce } from "../../../src/delivery/smtp/outcome.ts";
import { RecipientLimits } from "../../../src/delivery/smtp/recipient_limits.ts";
import type { TlsPolicy } from "../../../src/delivery/tls/policy.ts";
import type { Outcome } from "../../../src/delivery/transport.ts";
import { formatReply, reply } from "../../../src/mail/reply.ts";
import type { RecipientResult, TransactionResult } from "../../../src/smtp/client/transaction.ts";
import { sampleJob } from "../../support/delivery_jobs.ts";
import { ManualClock } from "../../support/manual_clock.ts";

const HOP = { host: "mx.example", address: "192.0.2.1", port: 25 };
const SESSION = { hop: HOP, client: { tls: null }, proof: null } as never;
const NOBODY: Outcome = {
  kind: "broken",
  scope: "destination",
  reply: reply(451, "4.4.1", "None"),
};
const UNFIT: Outcome = { kind: "unsuitable", reply: reply(552, "5.3.4", "Too large") };
const DOWN: Outcome = { kind: "broken", scope: "destination", reply: reply(451, "4.4.1", "Down") };

/** What a server said of a recipient: its stage and reply. */
function said(text: string, stage: "rcpt" | "dot" | "mail" = "dot"): RecipientResult {
  const [code = "", ...rest] = text.split(" ");
  const enhanced = /^\d\.\d+\.\d+$/.test(rest[0] ?? "") ? { enhanced: rest.shift() } : {};
  const lines = [rest.join(" ")];
  return { kind: "reply", stage, reply: { code: Number(code), lines, ...enhanced } } as never;
}

function lost(stage: string, cause: string, kind = "lost"): RecipientResult {
  return { kind, lost: { stage, cause } } as never;
}

/** An attempt for so many recipients, and what they end with. */
function attemptFor(count: number, signal = new AbortController().signal) {
  const recipients = Array.from({ length: count }, (_, index) => `r${index}@dest.example`);
  const attempt = new Attempt(sampleJob({ recipients }), { signal });
  const record = (
    results: readonly RecipientResult[],
    { notifies = true, losses = [] as never, begun = true } = {},
  ) => {
    const result = { recipients: results, begun } as TransactionResult;
    return attempt.record(result, { session: SESSION, notifies, losses });
  };
  const open = () => attempt.openRecipients().map(({ index }) => index);
  const words = () =>
    attempt.report(NOBODY).outcomes.map(({ kind, reply }) => `${kind} ${formatReply(reply)}`);
  return { attempt, record, open, words };
}

Deno.test("who has an outcome is not asked for again, who was too many is", () => {
  const { attempt, record, open, words } = attemptFor(4);
  assertEquals([attempt.hasOutcomes, attempt.isOver, open()], [false, false, [0, 1, 2, 3]]);
  const isDone = record([said("250 ok"), said("452 4.5.3 Too many", "rcpt"), said("550 no")]);
  assertEquals([isDone, open(), attempt.hasOutcomes, attempt.isOver], [true, [1, 3], true, false]);
  record([said("250 ok"), said("450 later")]);
  assertEquals([open(), attempt.isOver], [[], true]);
  assertEquals(words(), [
    "delivered 250 ok",
    "delivered 250 ok",
    "permanent 550 no",
    "temporary 450 later",
  ]);
});

Deno.test("a session that is lost leaves everybody to another host, with what was said last", () => {
  const { attempt, record, open, words } = attemptFor(3);
  record([said("250 ok"), said("452 4.5.3 Too many", "rcpt"), said("452 4.5.3 Too many", "rcpt")]);
  assertEquals(record([lost("mail", "reset")]), false);
  attempt.begin();
  assertEquals(open(), [1, 2]);
  const broke = "broken 451 4.4.2 mx.example[192.0.2.1]:25 broke the connection after MAIL";
  assertEquals(words(), ["delivered 250 ok", broke, broke], "the third's turn never came");
  attempt.failHost(UNFIT);
  assertEquals(words()[1], broke, "that another host cannot carry it says nothing for good");
  attempt.failHost(DOWN);
  assertEquals(words()[1], "broken 451 4.4.1 Down");
});

Deno.test("recipients that one server cannot take are left to the next", () => {
  const { attempt, open, record, words } = attemptFor(3);
  const [, second, third] = attempt.job.recipients;
  attempt.setAside([second, third].flatMap((one) => one ?? []), UNFIT);
  assertEquals(open(), [0]);
  record([said("250 ok")]);
  assertEquals([attempt.isOver, open()], [false, []]);
  attempt.begin();
  assertEquals(open(), [1, 2]);
  record([said("550 no")]);
  assertEquals(words(), ["delivered 250 ok", "permanent 550 no", "unsuitable 552 5.3.4 Too large"]);
});

Deno.test("a report names the peer, who notifies, and what was lost on the way to the last", () => {
  const { attempt, record } = attemptFor(2);
  assertEquals(attempt.report(NOBODY).remote, null);
  assertEquals("handover" in attempt.report(NOBODY), true);
  record([said("250 ok")], { begun: false });
  assertEquals(attempt.report(NOBODY).remote, null);
  const losses = [{ kind: "signature", what: "DKIM" }] as never;
  record([said("250 ok")], { notifies: false, losses });
  const { remote, handover, losses: told, proof } = attempt.report(NOBODY);
  assertEquals([remote, handover, told, proof], [HOP, undefined, losses, undefined]);
  const other = attemptFor(1);
  other.record([said("550 no")], { notifies: false });
  assertEquals(other.attempt.report(NOBODY).handover, "dsn", "nobody was taken");
  other.attempt.reached({ hop: HOP, tls: null, proof: "dane" });
  assertEquals(other.attempt.report(NOBODY).proof, "dane");
});

Deno.test("an attempt that is given up leaves what it has", () => {
  const controller = new AbortController();
  const { attempt, record, words } = attemptFor(2, controller.signal);
  record([said("250 ok")]);
  controller.abort();
  assertEquals(attempt.isOver, true);
  assertEquals(words(), ["delivered 250 ok", "temporary 451 4.3.2 Attempt was cancelled"]);
  assertEquals(attempt.report(NOBODY).outcomes[1], {
    ...{ kind: "temporary", reply: reply(451, "4.3.2", "Attempt was cancelled") },
    ...{ counts: false, retryAfterMs: 0 },
  });
});

Deno.test("everybody without an outcome may get the same", () => {
  const { attempt, record, words } = attemptFor(2);
  record([said("250 ok")]);
  attempt.settle(UNFIT);
  assertEquals(words(), ["delivered 250 ok", "unsuitable 552 5.3.4 Too large"]);
});

const VERDICTS: readonly [what: string, RecipientResult, accepted: boolean, string][] = [
  ["taken", said("250 ok"), false, "delivered 250 ok null"],
  ["refused", said("550 no", "rcpt"), false, "permanent 550 no null"],
  ["refused for now", said("450 no", "rcpt"), false, "temporary 450 no null"],
  ["one too many", said("452 no", "rcpt"), true, "temporary 452 no here"],
  ["one too many, by 552", said("552 no", "rcpt"), true, "temporary 552 no here"],
  ["552 to the first", said("552 no", "rcpt"), false, "permanent 552 no null"],
  ["552 with a word", said("552 5.5.3 no", "rcpt"), false, "temporary 552 5.5.3 no null"],
  ["a full mailbox", said("552 5.2.2 no", "rcpt"), true, "permanent 552 5.2.2 no null"],
  ["452 for another cause", said("452 4.3.1 no", "rcpt"), true, "temporary 452 4.3.1 no null"],
  ["452 at the end", said("452 no"), true, "temporary 452 no null"],
  ["leave", said("421 bye", "rcpt"), false, "temporary 421 bye elsewhere"],
  ["leave at the end", said("421 bye"), true, "temporary 421 bye null"],
];
for (const [what, result, accepted, expected] of VERDICTS) {
  Deno.test(`a recipient: ${what}`, () => {
    const { outcome, next } = judge(result, { hop: HOP, accepted, wasTooMany: false });
    assertEquals(`${outcome.kind} ${formatReply(outcome.reply)} ${next}`, expected);
  });
}

const LOSSES: readonly [stage: string, cause: string, string][] = [
  ["greeting", "closed", "broken"],
  ["mail", "closed", "broken"],
  ["rcpt", "closed", "temporary"],
  ["data", "reset", "temporary"],
  ["body", "reset", "temporary"],
  ["body", "timeout", "broken"],
  ["rcpt", "out_of_step", "broken"],
  ["rset", "closed", "broken"],
];
for (const [stage, cause, kind] of LOSSES) {
  Deno.test(`a connection that is lost by ${cause} at ${stage} is ${kind}`, () => {
    const rest = { hop: HOP, accepted: false, wasTooMany: false };
    const { outcome, next } = judge(lost(stage, cause), rest);
    assertEquals([outcome.kind, next], [kind, "elsewhere"]);
    const enhanced = cause === "out_of_step" ? "4.5.0" : "4.4.2";
    assertEquals([outcome.reply.code, outcome.reply.enhanced], [451, enhanced]);
    const doubtful = judge(lost("dot", cause, "uncertain"), rest);
    assertEquals([doubtful.outcome.kind, doubtful.next], ["uncertain", null]);
  });
}

Deno.test("an attempt that this side gave up is asked of nobody else", () => {
  const rest = { hop: HOP, accepted: false, wasTooMany: false };
  assertEquals(judge(lost("mail", "aborted"), rest).next, null);
});

Deno.test("how many a server takes at once is what it took before all others were too many", () => {
  const tooMany = said("452 4.5.3 no", "rcpt");
  assertEquals(takenAtOnce([said("250 ok"), said("250 ok")]), undefined);
  assertEquals(takenAtOnce([said("250 ok"), said("550 no", "rcpt"), tooMany]), 1);
  assertEquals(takenAtOnce([said("250 ok"), tooMany, said("250 ok")]), null);
  assertEquals(takenAtOnce([tooMany, tooMany]), null);
  assertEquals(takenAtOnce([lost("dot", "closed"), tooMany]), 1);
});

Deno.test("what a server takes at once is known for an hour, and unlearned when it was wrong", async () => {
  const clock = new ManualClock();
  const limits = new RecipientLimits(clock);
  const tooMany = said("452 4.5.3 no", "rcpt");
  assertEquals(limits.of("a"), Infinity);
  limits.learn("a", [said("250 ok"), said("250 ok"), tooMany]);
  assertEquals([limits.of("a"), limits.of("b")], [2, Infinity]);
  limits.learn("a", [said("250 ok")]);
  await clock.advance(3_599_999);
  assertEquals(limits.of("a"), 2);
  await clock.advance(1);
  assertEquals(limits.of("a"), Infinity);
  limits.learn("a", [said("250 ok"), tooMany]);
  limits.learn("a", [tooMany]);
  assertEquals(limits.of("a"), Infinity);
  for (let count = 0; count <= 10_000; count++) {
    limits.learn(`h${count}`, [said("250 ok"), tooMany]);
  }
  assertEquals([limits.of("h0"), limits.of("h1"), limits.of("h10000")], [Infinity, 1, 1]);
});

Deno.test("an address that failed is left alone for a quarter of a minute, ten thousand at most", async () => {
  const clock = new ManualClock();
  const failures = new FailureMemory({ clock });
  const down = reply(451, "4.4.1", "refused");
  failures.failed("a", down);
  await clock.advance(14_999);
  assertEquals(failures.recall("a"), down);
  await clock.advance(1);
  assertEquals([failures.recall("a"), failures.recall("a")], [null, down], "one finds out");
  await clock.advance(15_000);
  assertEquals([failures.recall("a"), failures.recall("a")], [null, down]);
  for (let count = 0; count < 10_000; count++) failures.failed(`h${count}`, down);
  assertEquals([failures.recall("a"), failures.recall("h0")], [null, down]);
});

const RECORD = { usage: 3, selector: 1, matchingType: 1, data: new Uint8Array([1]) };
const OTHER = { ...RECORD, data: new Uint8Array([2]) };
const POLICIES: readonly TlsPolicy[] = [
  { level: "none" },
  { level: "opportunistic" },
  { level: "required" },
  { level: "verified", names: ["a"], by: "config" },
  { level: "verified", names: ["a"], by: "mta_sts" },
  { level: "verified", names: ["b"], by: "config" },
  { level: "verified", names: ["a", "b"], by: "config" },
  { level: "fingerprint", fingerprints: ["aa"] },
  { level: "fingerprint", fingerprints: ["bb"] },
  { level: "dane", records: [RECORD], names: ["a"] },
  { level: "dane", records: [OTHER], names: ["a"] },
  { level: "dane", records: [RECORD, OTHER], names: ["a"] },
  { level: "dane", records: [RECORD], names: ["b"] },
  ...[{ usage: 2 }, { selector: 0 }, { matchingType: 2 }].map((change): TlsPolicy => ({
    ...{ level: "dane", records: [{ ...RECORD, ...change }], names: ["a"] },
  })),
];

Deno.test("no two policies, hosts or ports share sessions", () => {
  const rest = { rank: 0, addresses: null, expectation: null };
  const keyOf = (policy: TlsPolicy, host = "mx", port = 25) =>
    hostTarget({ ...rest, policy, host, port }).key;
  const keys = POLICIES.flatMap((policy) => [
    ...[keyOf(policy), keyOf(policy, "mx2"), keyOf(policy, "mx", 26)],
  ]);
  assertEquals(new Set(keys).size, keys.length);
  for (const policy of POLICIES) assertEquals(keyOf(policy), keyOf(structuredClone(policy)));
});
