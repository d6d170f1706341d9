import type { EnhancedCode } from "../../mail/enhanced_code.ts";
import { type Reply, reply } from "../../mail/reply.ts";
import { cutText, withoutControls } from "../../mail/safe_text.ts";
import type { Outcome } from "../../delivery/transport.ts";
import type { Answer, Exchange } from "./exchange.ts";
import { retryAfterMs } from "./rate.ts";

/** What a status or an error code of an API means for mail. */
export const VERDICTS = [
  "delivered",
  /** Nothing wrong with the message; later may be better. */
  "temporary",
  /** Too fast; the attempt does not count. */
  "limited",
  /** A quota is used up: transport trouble until it is counted anew. */
  "exhausted",
  /** The message, or its recipients, will never be taken by anybody. */
  "rejected",
  /** This API does not take this message; another transport might. */
  "unsuitable",
  /** The key, the account or the address of the API is wrong; no message is to blame. */
  "broken",
  /** The answer does not tell whether the message was taken. */
  "uncertain",
] as const;
export type Verdict = typeof VERDICTS[number];

/** A verdict with what is particular about it. */
export interface Row {
  readonly verdict: Verdict;
  /** Of the class that fits the verdict. */
  readonly enhanced?: EnhancedCode;
  /** The wait where the answer does not name one. */
  readonly waitMs?: number;
}

/**
 * What the answers of one API mean. A code counts before the status it comes with; `403 code` is
 * a code that means something else with that status.
 */
export interface AnswerTable {
  readonly statuses: Readonly<Record<number, Verdict | Row>>;
  readonly codes: Readonly<Record<string, Verdict | Row>>;
}

/** What an answer says went wrong. */
export interface Problem {
  /** The API's own codes, the most telling first. */
  readonly codes: readonly string[];
  /** The API's words, for people. */
  readonly text: string;
}

/** What a status means where the API's table does not say otherwise (RFC 9110 section 15). */
const STATUSES: Readonly<Record<number, Verdict | Row>> = {
  400: "rejected",
  401: "broken",
  402: "broken",
  403: "broken",
  404: "broken",
  405: "broken",
  406: "broken",
  407: "broken",
  410: "broken",
  411: "broken",
  413: { verdict: "unsuitable", enhanced: "5.3.4" },
  415: "broken",
  422: "rejected",
  426: "broken",
  429: "limited",
};

const NO_PROBLEM: Problem = { codes: [], text: "" };
const LONGEST_TEXT_CHARS = 300;

/** What `answer` means: its codes by the table, else its status, else for now nothing final. */
export function judge(
  { api, answer, table, problem = NO_PROBLEM, nowMs }: {
    /** The name of the API, for people. */
    api: string;
    answer: Answer;
    table: AnswerTable;
    problem?: Problem;
    nowMs: number;
  },
): Outcome {
  const code = problem.codes.flatMap((name) => [`${answer.status} ${name}`, name])
    .find((candidate) => Object.hasOwn(table.codes, candidate));
  const row = rowOf(
    (code === undefined ? undefined : table.codes[code]) ?? byStatus(answer, table),
  );
  const codeText = problem.codes.length === 0 ? "" : ` ${problem.codes[0]}`;
  const detail = problem.text === "" ? "" : `: ${problem.text}`;
  const text = `${api} answered ${answer.status}${codeText}${detail}`;
  return outcomeOf(row, { text, waitMs: retryAfterMs(answer.headers, nowMs) });
}

/** The API took the message and calls it `id` from now on; empty where it gave it no name. */
export function takenAs(id: string, { api }: { api: string }): Outcome {
  const text = id === "" ? `${api} accepted it` : `${api} accepted it as ${id}`;
  const outcome = outcomeOf("delivered", { text });
  return outcome.kind === "delivered" && id !== "" ? { ...outcome, remoteId: id } : outcome;
}

/** An outcome of a verdict; `waitMs` is what the peer asked for. */
export function outcomeOf(
  row: Verdict | Row,
  { text, waitMs }: { text: string; waitMs?: number | undefined },
): Outcome {
  const { verdict, enhanced, waitMs: usualMs } = rowOf(row);
  const wait = waitMs ?? usualMs;
  const retry = wait === undefined ? {} : { retryAfterMs: wait };
  switch (verdict) {
    case "delivered":
      return { kind: "delivered", reply: replyOf(enhanced ?? "2.0.0", text) };
    case "temporary":
      return { kind: "temporary", reply: replyOf(enhanced ?? "4.3.0", text), ...retry };
    case "limited": // RFC 3463 X.4.5: mail system congestion
      return {
        kind: "temporary",
        reply: replyOf(enhanced ?? "4.4.5", text),
        counts: false,
        ...retry,
      };
    case "exhausted": // X.3.2: system not accepting network messages
      return broken(enhanced ?? "4.3.2", { text, retry });
    case "broken": // X.3.5: system incorrectly configured
      return broken(enhanced ?? "4.3.5", { text, retry });
    case "rejected":
      return { kind: "permanent", reply: replyOf(enhanced ?? "5.6.0", text) };
    case "unsuitable":
      return { kind: "unsuitable", reply: replyOf(enhanced ?? "5.6.0", text) };
    case "uncertain": // X.4.2: bad connection
      return { kind: "uncertain", reply: replyOf(enhanced ?? "4.4.2", text) };
  }
}

/**
 * What stands of an outcome that came with a status: a server that is too busy or has failed
 * (RFC 6585 4, RFC 9110 15.6) has judged nothing for good, whatever else it says.
 */
export function standing(outcome: Outcome, status: number): Outcome {
  const isFinal = outcome.kind === "permanent" || outcome.kind === "unsuitable";
  if (!isFinal || (status !== 429 && status < 500)) return outcome;
  const text = outcome.reply.lines.join(" ");
  return outcomeOf({ verdict: "limited", enhanced: "4.3.0" }, { text });
}

/** What a request without an answer means. */
export function outcomeOfFailure(
  { reason, maybeSent, cause }: Extract<Exchange, { kind: "failed" }>,
  { host }: { host: string },
): Outcome {
  if (maybeSent) {
    return outcomeOf("uncertain", { text: `${host} received the request but sent no response` });
  }
  switch (reason) {
    case "unreachable":
      return outcomeOf({ verdict: "broken", enhanced: "4.4.1" }, {
        text: `Cannot reach ${host}${cause instanceof Error ? `: ${cause.message}` : ""}`,
      });
    case "forbidden":
      return outcomeOf("broken", { text: `Not permitted to reach ${host}` });
    case "timeout":
      return interrupted(`${host} took too long`);
    case "cut":
      return interrupted(`Lost the connection to ${host}`);
    case "aborted":
      return outcomeOf({ verdict: "limited", enhanced: "4.3.2" }, { text: "Interrupted" });
  }
}

/** A reply whose code fits the enhanced code, with text from elsewhere made safe. */
export function replyOf(enhanced: EnhancedCode, text: string): Reply {
  return reply(codeOf(enhanced), enhanced, cutText(withoutControls(text), LONGEST_TEXT_CHARS));
}

function broken(
  enhanced: EnhancedCode,
  { text, retry }: { text: string; retry: { retryAfterMs?: number } },
): Outcome {
  return { kind: "broken", scope: "transport", reply: replyOf(enhanced, text), ...retry };
}

function interrupted(text: string): Outcome {
  return outcomeOf({ verdict: "temporary", enhanced: "4.4.2" }, { text });
}

function byStatus({ status }: Answer, table: AnswerTable): Verdict | Row {
  const listed = table.statuses[status] ?? STATUSES[status];
  if (listed !== undefined) return listed;
  if (status >= 200 && status < 300) return "uncertain";
  // A redirection is never followed: the address of the API is not what it was.
  if (status >= 300 && status < 400) return "broken";
  // RFC 9110 15.6: the server knows that it has failed. The attempt is not the message's.
  return status >= 500 ? { verdict: "limited", enhanced: "4.3.0" } : "temporary";
}

function rowOf(row: Verdict | Row): Row {
  return typeof row === "string" ? { verdict: row } : row;
}

/** RFC 3463 and RFC 5321 4.2.2 */
function codeOf(enhanced: EnhancedCode): number {
  if (enhanced.startsWith("2.")) return 250;
  if (enhanced.startsWith("4.")) return 451;
  if (enhanced === "5.3.4") return 552;
  return enhanced.startsWith("5.1.") || enhanced.startsWith("5.7.") ? 550 : 554;
}
