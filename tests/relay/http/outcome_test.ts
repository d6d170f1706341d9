/** What each answer of an API, and each failure to get one, means for the mail. */
import { assertEquals } from "@std/assert";
import { formatReply } from "../../../src/mail/reply.ts";
import type { Outcome } from "../../../src/delivery/transport.ts";
import {
  type AnswerTable,
  judge,
  outcomeOf,
  outcomeOfFailure,
  type Problem,
  replyOf,
  standing,
  takenAs,
  type Verdict,
} from "../../../src/relay/http/outcome.ts";

const NOTHING: AnswerTable = { statuses: {}, codes: {} };

function inWords(outcome: Outcome): string {
  const { kind, reply } = outcome;
  const more = [
    "counts" in outcome && outcome.counts === false ? " uncounted" : "",
    "retryAfterMs" in outcome ? ` after ${outcome.retryAfterMs}` : "",
    "scope" in outcome ? ` ${outcome.scope}` : "",
  ];
  return `${kind}${more.join("")}: ${formatReply(reply)}`;
}

function judged(
  status: number,
  { table = NOTHING, problem, headers = {} }: {
    table?: AnswerTable;
    problem?: Problem;
    headers?: Record<string, string>;
  } = {},
): string {
  const answer = { status, headers: new Headers(headers), text: "", json: null } as never;
  const options = { api: "Api", answer, table, nowMs: 0 };
  return inWords(judge(problem === undefined ? options : { ...options, problem }));
}

const VERDICTS: readonly (readonly [Verdict, string])[] = [
  ["delivered", "delivered: 250 2.0.0 x"],
  ["temporary", "temporary after 5: 451 4.3.0 x"],
  ["limited", "temporary uncounted after 5: 451 4.4.5 x"],
  ["exhausted", "broken after 5 transport: 451 4.3.2 x"],
  ["broken", "broken after 5 transport: 451 4.3.5 x"],
  ["rejected", "permanent: 554 5.6.0 x"],
  ["unsuitable", "unsuitable: 554 5.6.0 x"],
  ["uncertain", "uncertain: 451 4.4.2 x"],
];

for (const [verdict, words] of VERDICTS) {
  Deno.test(`http outcome: ${verdict}`, () => {
    assertEquals(inWords(outcomeOf(verdict, { text: "x", waitMs: 5 })), words);
    const other = outcomeOf({ verdict, enhanced: "5.7.1" }, { text: "x" });
    assertEquals(other.reply.enhanced, "5.7.1");
    assertEquals("retryAfterMs" in other, false);
  });
}

Deno.test("http outcome: a wait of the row stands where the answer has none", () => {
  const row = { verdict: "temporary", waitMs: 9 } as const;
  assertEquals(inWords(outcomeOf(row, { text: "x" })), "temporary after 9: 451 4.3.0 x");
  assertEquals(inWords(outcomeOf(row, { text: "x", waitMs: 0 })), "temporary after 0: 451 4.3.0 x");
});

const REPLIES: readonly (readonly [Parameters<typeof replyOf>[0], number])[] = [
  ...[["2.0.0", 250], ["4.7.1", 451], ["5.3.4", 552], ["5.1.1", 550], ["5.7.1", 550]] as const,
  ["5.6.0", 554],
];

for (const [enhanced, code] of REPLIES) {
  Deno.test(`http outcome: ${enhanced} goes with ${code}`, () => {
    assertEquals(replyOf(enhanced, "x").code, code);
  });
}

Deno.test("http outcome: a reply is one line of 300 characters at most", () => {
  const [line = ""] = replyOf("5.6.0", `a\r\nb${"x".repeat(400)}`).lines;
  assertEquals([line.length <= 300, /[\r\n]/.test(line)], [true, false]);
});

const STATUSES: readonly (readonly [number, string])[] = [
  [200, "uncertain: 451 4.4.2 Api answered 200"],
  [299, "uncertain: 451 4.4.2 Api answered 299"],
  [300, "broken transport: 451 4.3.5 Api answered 300"],
  [302, "broken transport: 451 4.3.5 Api answered 302"],
  [399, "broken transport: 451 4.3.5 Api answered 399"],
  [400, "permanent: 554 5.6.0 Api answered 400"],
  ...[401, 402, 403, 404, 405, 406, 407, 410, 411, 415, 426].map((status) =>
    [status, `broken transport: 451 4.3.5 Api answered ${status}`] as const
  ),
  [413, "unsuitable: 552 5.3.4 Api answered 413"],
  [418, "temporary: 451 4.3.0 Api answered 418"],
  [422, "permanent: 554 5.6.0 Api answered 422"],
  [429, "temporary uncounted: 451 4.4.5 Api answered 429"],
  [499, "temporary: 451 4.3.0 Api answered 499"],
  [500, "temporary uncounted: 451 4.3.0 Api answered 500"],
  [599, "temporary uncounted: 451 4.3.0 Api answered 599"],
];

for (const [status, words] of STATUSES) {
  Deno.test(`http outcome: status ${status} where a table says nothing`, () => {
    assertEquals(judged(status), words);
  });
}

Deno.test("http outcome: a code goes before a status, with its status before alone, of a table before ours", () => {
  const table: AnswerTable = {
    statuses: { 400: "temporary" },
    codes: {
      bad: "rejected",
      "400 bad": "unsuitable",
      other: { verdict: "rejected", enhanced: "5.1.1" },
    },
  };
  const of = (...codes: string[]) => ({ table, problem: { codes, text: "why" } });
  assertEquals(judged(400, of("bad")), "unsuitable: 554 5.6.0 Api answered 400 bad: why");
  assertEquals(judged(403, of("bad")), "permanent: 554 5.6.0 Api answered 403 bad: why");
  assertEquals(judged(400, of("new", "other")), "permanent: 550 5.1.1 Api answered 400 new: why");
  assertEquals(judged(400, of("new")), "temporary: 451 4.3.0 Api answered 400 new: why");
  assertEquals(judged(400, of("toString")), "temporary: 451 4.3.0 Api answered 400 toString: why");
  assertEquals(judged(400, { table }), "temporary: 451 4.3.0 Api answered 400");
});

Deno.test("http outcome: an answer that says when is asked again then", () => {
  const headers = { "retry-after": "7" };
  assertEquals(
    judged(429, { headers }),
    "temporary uncounted after 7000: 451 4.4.5 Api answered 429",
  );
  assertEquals(judged(400, { headers }), "permanent: 554 5.6.0 Api answered 400");
});

Deno.test("http outcome: what was taken has the API's own name for it, if there is one", () => {
  const named = takenAs("id-1", { api: "Api" });
  assertEquals(inWords(named), "delivered: 250 2.0.0 Api accepted it as id-1");
  assertEquals(named.kind === "delivered" && named.remoteId, "id-1");
  const unnamed = takenAs("", { api: "Api" });
  assertEquals([inWords(unnamed), "remoteId" in unnamed], [
    "delivered: 250 2.0.0 Api accepted it",
    false,
  ]);
});

Deno.test("http outcome: nothing is final that a server says with an error of its own", () => {
  const rejected = outcomeOf("rejected", { text: "x" });
  const unsuitable = outcomeOf("unsuitable", { text: "x" });
  for (const status of [429, 500, 503]) {
    for (const outcome of [rejected, unsuitable]) {
      assertEquals(inWords(standing(outcome, status)), "temporary uncounted: 451 4.3.0 x");
    }
    const broken = outcomeOf("broken", { text: "x" });
    assertEquals(standing(broken, status), broken);
  }
  for (const status of [400, 428, 430, 499]) assertEquals(standing(rejected, status), rejected);
});

const FAILURES: readonly (readonly [
  "unreachable" | "forbidden" | "timeout" | "cut" | "aborted",
  string,
])[] = [
  ["unreachable", "broken transport: 451 4.4.1 Cannot reach host"],
  ["forbidden", "broken transport: 451 4.3.5 Not permitted to reach host"],
  ["timeout", "temporary: 451 4.4.2 host took too long"],
  ["cut", "temporary: 451 4.4.2 Lost the connection to host"],
  ["aborted", "temporary uncounted: 451 4.3.2 Interrupted"],
];

for (const [reason, words] of FAILURES) {
  Deno.test(`http outcome: no answer, ${reason}`, () => {
    const failed = { kind: "failed", reason, maybeSent: false, cause: null } as const;
    assertEquals(inWords(outcomeOfFailure(failed, { host: "host" })), words);
    const sent = outcomeOfFailure({ ...failed, maybeSent: true }, { host: "host" });
    assertEquals(
      inWords(sent),
      "uncertain: 451 4.4.2 host received the request but sent no response",
    );
  });
}

Deno.test("http outcome: who cannot be reached is told with the cause", () => {
  const cause = new Error("no route");
  const failed = { kind: "failed", reason: "unreachable", maybeSent: false, cause } as const;
  assertEquals(
    inWords(outcomeOfFailure(failed, { host: "host" })),
    "broken transport: 451 4.4.1 Cannot reach host: no route",
  );
});
