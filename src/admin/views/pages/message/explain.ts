import { formatDuration } from "../../../../observe/quantities.ts";
import type {
  DestinationStatus,
  MessageDetail,
  RecipientState,
  TimelineEntry,
} from "../../../ports.ts";
import { count, counted } from "../../parts/quantity.ts";
import { leadingState, type Tone } from "../../parts/state.tsx";
import { attemptOf, type AttemptView, textOf } from "./attempt.ts";

/** A sentence; numbers in it are points in time. */
export type Sentence = readonly (string | number)[];

/** What is the matter with a message, for people. */
export interface Explanation {
  readonly tone: Tone;
  readonly title: string;
  readonly sentences: readonly Sentence[];
}

/** What an explanation is made from. */
export interface ExplainFacts {
  readonly detail: MessageDetail;
  readonly destinations: readonly DestinationStatus[];
  readonly nowMs: number;
}

/** How many recipients are in each state. */
export function countStates(
  { recipients }: Pick<MessageDetail, "recipients">,
): Partial<Record<RecipientState, number>> {
  const states: Partial<Record<RecipientState, number>> = {};
  for (const { state } of recipients) states[state] = (states[state] ?? 0) + 1;
  return states;
}

/** Explains where a message is and why. */
export function explain(facts: ExplainFacts): Explanation {
  const { detail } = facts;
  const states = countStates(detail);
  const state = leadingState(states);
  switch (state) {
    case "queued":
      return explainQueued(facts, othersOf(states, state));
    case "held":
      return explainHeld(detail, othersOf(states, state));
    case "delivered":
      return explainDelivered(detail);
    default:
      return explainEnd(detail, { state, others: othersOf(states, state) });
  }
}

/** `2 recipients have it already.` */
function othersOf(
  states: Partial<Record<RecipientState, number>>,
  leading: RecipientState,
): Sentence[] {
  const words: Partial<Record<RecipientState, string>> = {
    delivered: "delivered",
    failed: "failed",
    expired: "expired",
    cancelled: "cancelled",
    queued: "queued",
  };
  const parts = Object.entries(words).flatMap(([state, word]) => {
    const number = states[state as RecipientState] ?? 0;
    return state === leading || number === 0 ? [] : [`${count(number)} ${word}`];
  });
  return parts.length === 0 ? [] : [[`Other recipients: ${parts.join(", ")}.`]];
}

function explainQueued({ detail, destinations, nowMs }: ExplainFacts, others: Sentence[]) {
  const queued = detail.recipients.filter(({ state }) => state === "queued");
  const first = queued.toSorted((a, b) => a.nextAttemptAtMs - b.nextAttemptAtMs)[0];
  const last = lastAttempt(detail);
  const troubled = destinations.find(({ name, state }) =>
    state !== "up" && (name === first?.domain || name === last?.destination)
  );
  const sentences: Sentence[] = last === null ? [] : [attemptSentence(last)];
  if (queued.some(({ claimedBy }) => claimedBy !== null)) {
    sentences.push(["An attempt is running or next in line."]);
    return { tone: "wait" as const, title: "Sending", sentences: [...sentences, ...others] };
  }
  const dueAtMs = first?.nextAttemptAtMs ?? nowMs;
  sentences.push(...nextSentences({ dueAtMs, nowMs, last, troubled, tries: first?.attempts ?? 0 }));
  const where = [...new Set(queued.map(({ domain }) => domain))];
  const title = where.length === 1
    ? `Waiting to be sent to ${where[0]}`
    : `Waiting to be sent to ${counted(where.length, "domain")}`;
  const tone: Tone = last === null ? "wait" : "warn";
  return { tone, title, sentences: [...sentences, ...others] };
}

function nextSentences(
  { dueAtMs, nowMs, last, troubled, tries }: {
    dueAtMs: number;
    nowMs: number;
    last: AttemptView | null;
    troubled: DestinationStatus | undefined;
    tries: number;
  },
): Sentence[] {
  if (troubled?.pause) {
    const { by, reason, untilMs } = troubled.pause;
    const until = untilMs === null ? [" until an operator resumes it"] : [" until ", untilMs];
    return [[`${by} paused ${troubled.name}`, ...until, `: ${reason}`]];
  }
  const next: Sentence = dueAtMs <= nowMs
    ? ["It is due and waits for its turn."]
    : [`Attempt ${tries + 1} comes `, dueAtMs, "."];
  if (troubled !== undefined && troubled.retryAtMs !== null) {
    return [next, [
      `${troubled.name} is ${troubled.state}; it is probed `,
      troubled.retryAtMs,
      ". Its waiting mail is sent when it responds.",
    ]];
  }
  if (last === null || dueAtMs <= nowMs) return [next];
  const waitMs = dueAtMs - last.atMs - (last.durationMs ?? 0);
  if (waitMs <= 0) return [next];
  return [next, [
    `That is ${formatDuration(waitMs)} after the last attempt, by the retry schedule for ` +
    `attempt ${tries + 1}.`,
  ]];
}

const OUTCOME_WORDS: Readonly<Record<string, string>> = {
  delivered: "took it",
  temporary: "deferred it",
  permanent: "refused it permanently",
  broken: "could not be used",
  unsuitable: "could not carry it",
  uncertain: "may have accepted it; the connection broke before the reply",
};

function attemptSentence(attempt: AttemptView): Sentence {
  const { outcomes, remote, destination, transport, atMs } = attempt;
  const worst = outcomes.find(({ kind }) => kind !== "delivered") ?? outcomes[0];
  const who = remote.split("[")[0] || destination || transport;
  const what = OUTCOME_WORDS[worst?.kind ?? ""] ?? "was tried";
  return [atMs, `, ${who} ${what}${worst?.reply ? `: ${worst.reply}` : "."}`];
}

function explainHeld({ timeline }: MessageDetail, others: Sentence[]): Explanation {
  const last = findLast(timeline, ({ kind }) => kind === "held" || kind === "quarantined");
  const by = textOf(last?.detail["by"]);
  const reason = textOf(last?.detail["reason"]);
  const held: Sentence = last === undefined
    ? ["It was held when it was accepted."]
    : [`Held${by === "" ? "" : ` by ${by}`} `, last.atMs, reason === "" ? "." : `: ${reason}`];
  return {
    tone: "hold",
    title: "Held for an operator",
    sentences: [held, ["Release it to send it, or cancel it."], ...others],
  };
}

function explainDelivered(detail: MessageDetail): Explanation {
  const { recipients, message } = detail;
  const last = lastAttempt(detail);
  const tookMs = last === null ? null : last.atMs + (last.durationMs ?? 0) - message.receivedAtMs;
  const whom = recipients.length === 1
    ? recipients[0]?.forwardPath ?? ""
    : `all ${counted(recipients.length, "recipient")}`;
  return {
    tone: "good",
    title: `Delivered to ${whom}`,
    sentences: [
      ...(tookMs === null ? [] : [[`${formatDuration(tookMs)} after it was accepted.`]]),
      ...(last === null ? [] : [attemptSentence(last)]),
    ],
  };
}

const END_TITLES = {
  failed: "Delivery failed",
  expired: "Expired",
  cancelled: "Cancelled",
  held: "",
  queued: "",
  delivered: "",
} as const satisfies Record<RecipientState, string>;

function explainEnd(
  detail: MessageDetail,
  { state, others }: { state: RecipientState; others: Sentence[] },
): Explanation {
  const last = lastAttempt(detail);
  const stop = findLast(detail.timeline, ({ kind }) => kind === "cancelled");
  const sentences: Sentence[] = [];
  if (state === "cancelled" && stop !== undefined) {
    sentences.push([`By ${textOf(stop.detail["by"]) || "an operator"} `, stop.atMs, "."]);
  } else if (last !== null) {
    sentences.push(attemptSentence(last));
  }
  if (state !== "cancelled" && detail.message.reversePath !== "") {
    sentences.push([
      `The sender, ${detail.message.reversePath}, is notified unless it requested otherwise.`,
    ]);
  }
  return {
    tone: state === "cancelled" ? "idle" : "bad",
    title: END_TITLES[state],
    sentences: [...sentences, ...others],
  };
}

function lastAttempt({ timeline }: MessageDetail): AttemptView | null {
  const entry = findLast(timeline, ({ kind }) => kind === "attempt");
  return entry === undefined ? null : attemptOf(entry);
}

function findLast(
  timeline: readonly TimelineEntry[],
  fits: (entry: TimelineEntry) => boolean,
): TimelineEntry | undefined {
  return timeline.toSorted((a, b) => a.atMs - b.atMs).findLast(fits);
}
