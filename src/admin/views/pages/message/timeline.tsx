import type { MessageDetail, TimelineEntry } from "../../../ports.ts";
import { formatDuration } from "../../../../observe/quantities.ts";
import { Panel } from "../../parts/boxes.tsx";
import { counted } from "../../parts/quantity.ts";
import type { Tone } from "../../parts/state.tsx";
import { Time } from "../../parts/time.tsx";
import { attemptOf, type AttemptView, type OutcomeView, textOf } from "./attempt.ts";

const OUTCOME_LOOKS: Readonly<Record<string, { tone: Tone; word: string }>> = {
  delivered: { tone: "good", word: "Delivered" },
  temporary: { tone: "warn", word: "Deferred" },
  permanent: { tone: "bad", word: "Refused permanently" },
  broken: { tone: "bad", word: "Transport broken" },
  unsuitable: { tone: "warn", word: "Unsuitable transport" },
  uncertain: { tone: "warn", word: "Maybe sent" },
};

/** How a next hop proves who it is. */
const PROOFS: Readonly<Record<string, string>> = {
  chain: "its certificate",
  mta_sts: "MTA-STS",
  fingerprint: "its fingerprint",
  dane: "DANE",
};

const STEP_LOOKS: Readonly<Record<string, { tone: Tone; word: string }>> = {
  held: { tone: "hold", word: "Held" },
  assumed_delivered: { tone: "warn", word: "Considered delivered" },
  released: { tone: "wait", word: "Released" },
  retried: { tone: "wait", word: "Retried by operator" },
  cancelled: { tone: "idle", word: "Cancelled" },
  returned: { tone: "bad", word: "Bounced by operator" },
  rerouted: { tone: "wait", word: "Rerouted by operator" },
  readdressed: { tone: "wait", word: "Recipients changed" },
  sent_again: { tone: "wait", word: "Sent again" },
  captured: { tone: "hold", word: "Captured" },
  expired: { tone: "bad", word: "Expired" },
  notified: { tone: "idle", word: "Sender notified" },
  interrupted: { tone: "warn", word: "Interrupted: the node stopped during the attempt" },
  quarantined: { tone: "bad", word: "Quarantined" },
  // What others told later; see FEEDBACK_KINDS in observe/events.ts.
  delivered: { tone: "good", word: "Reached the mailbox" },
  deferred: { tone: "warn", word: "Delayed after the next hop" },
  bounced: { tone: "bad", word: "Hard bounce" },
  soft_bounced: { tone: "warn", word: "Soft bounce" },
  complained: { tone: "bad", word: "Reported as spam" },
  unsubscribed: { tone: "warn", word: "Unsubscribed" },
};

/** The life of a message, newest step first, with what comes next on top. */
export function TimelinePanel({ detail, nowMs }: { detail: MessageDetail; nowMs: number }) {
  const steps = detail.timeline.toSorted((a, b) => a.atMs - b.atMs);
  const attempts = steps.filter(({ kind }) => kind === "attempt");
  const total = detail.recipients.length;
  return (
    <Panel
      id="timeline"
      title="Timeline"
      note={attempts.length === 0 ? undefined : counted(attempts.length, "attempt")}
      live
    >
      <ol class="steps">
        <NextStep detail={detail} nowMs={nowMs} />
        {steps.toReversed().map((entry) => {
          const attempt = attemptOf(entry);
          if (attempt === null) return <OtherStep entry={entry} nowMs={nowMs} />;
          const number = attempts.indexOf(entry) + 1;
          return <AttemptStep {...{ attempt, number, total, nowMs }} />;
        })}
        <AcceptedStep detail={detail} nowMs={nowMs} />
      </ol>
    </Panel>
  );
}

function NextStep({ detail, nowMs }: { detail: MessageDetail; nowMs: number }) {
  const waiting = detail.recipients
    .filter(({ state, claimedBy }) => state === "queued" && claimedBy === null)
    .map(({ nextAttemptAtMs }) => nextAttemptAtMs);
  if (waiting.length === 0) return null;
  const atMs = Math.min(...waiting);
  return (
    <li class="step" data-tone="wait" data-shape="next">
      <div class="step-head">
        <span class="step-title">Next attempt</span>
        <span class="step-time">
          {atMs <= nowMs ? "due now" : <Time atMs={atMs} nowMs={nowMs} />}
        </span>
      </div>
    </li>
  );
}

function AttemptStep(
  { attempt, number, total, nowMs }: {
    attempt: AttemptView;
    number: number;
    total: number;
    nowMs: number;
  },
) {
  const { outcomes, atMs, durationMs, remote, destination, transport, dialogue } = attempt;
  const worst = outcomes.find(({ kind }) => kind !== "delivered") ?? outcomes[0];
  const tone = OUTCOME_LOOKS[worst?.kind ?? ""]?.tone ?? "idle";
  return (
    <li class="step" data-tone={tone}>
      <div class="step-head">
        <span class="step-title">Attempt {number}</span>
        <span class="soft small wrap">
          {remote === "" ? destination : remote} <span class="faint">by {transport}</span>
        </span>
        <span class="step-time">
          <Time atMs={atMs} nowMs={nowMs} form="clock" />
        </span>
      </div>
      {outcomes.map((outcome) => <OutcomeLine outcome={outcome} total={total} />)}
      <div class="step-facts">
        <Encryption attempt={attempt} />
        {attempt.proxy !== "" && <span>through {attempt.proxy}</span>}
        {attempt.losses.length > 0 && <span>changed: {attempt.losses.join(", ")}</span>}
        {durationMs !== null && <span>{formatDuration(durationMs)}</span>}
      </div>
      {dialogue.length > 0 && (
        <details class="dialogue">
          <summary>Dialogue, {counted(dialogue.length, "line")}</summary>
          <pre class="source">{dialogue.join("\n")}</pre>
        </details>
      )}
    </li>
  );
}

/** What the connection was, and how the next hop proved who it is. */
function Encryption({ attempt: { tls, proof, outcomes } }: { attempt: AttemptView }) {
  if (tls !== "") {
    const verified = proof === "" ? "peer not verified" : `verified by ${PROOFS[proof] ?? proof}`;
    return <span>{tls}, {verified}</span>;
  }
  return outcomes.some(({ kind }) => wasHeard(kind)) ? <span>Not encrypted</span> : null;
}

/** Whether the message was talked about: a transport that is broken may not even have answered. */
function wasHeard(kind: string): boolean {
  return kind === "delivered" || kind === "temporary" || kind === "permanent";
}

function OutcomeLine({ outcome, total }: { outcome: OutcomeView; total: number }) {
  const { kind, reply, rule, recipients } = outcome;
  const { tone, word } = OUTCOME_LOOKS[kind] ?? { tone: "idle", word: kind };
  return (
    <p class="outcome">
      <span class="chip" data-tone={tone}>{word}</span>
      {recipients.length < total && (
        <span class="soft small" title={`Recipients ${recipients.join(", ")}`}>
          {counted(recipients.length, "recipient")}
        </span>
      )}
      <span class="reply">{reply}</span>
      {rule !== "" && <span class="faint small">taken as rule {rule} says</span>}
    </p>
  );
}

function OtherStep({ entry, nowMs }: { entry: TimelineEntry; nowMs: number }) {
  const { tone, word } = STEP_LOOKS[entry.kind] ?? { tone: "idle", word: entry.kind };
  return (
    <li class="step" data-tone={tone} data-shape="small">
      <div class="step-head">
        <span class="step-title">{word}</span>
        <span class="soft small wrap">
          <StepWords entry={entry} />
        </span>
        <span class="step-time">
          <Time atMs={entry.atMs} nowMs={nowMs} form="clock" />
        </span>
      </div>
    </li>
  );
}

/** The details of a step; messages that it names can be gone to. */
function StepWords({ entry: { kind, detail } }: { entry: TimelineEntry }) {
  const other = textOf(detail["as"]) || textOf(detail["of"]);
  if (kind === "sent_again" && other !== "") {
    return (
      <>
        {detail["as"] === undefined ? "Copy of " : "As "}
        <a class="mono" href={`/messages/${encodeURIComponent(other)}`}>{other}</a>
        {" by "}
        {textOf(detail["by"])}
      </>
    );
  }
  if (kind === "rerouted") {
    const transport = textOf(detail["transport"]);
    const to = transport === "" ? "back to the routes" : `to ${transport}`;
    return <>{`${to} by ${textOf(detail["by"])}`}</>;
  }
  const source = textOf(detail["source"]);
  if (source !== "") { // later feedback
    const said = [textOf(detail["recipient"]), textOf(detail["reason"])].filter(Boolean).join(": ");
    const then = detail["suppressed"] === true ? "; suppressed" : "";
    return <>{`${said}${said === "" ? "" : ", "}reported by ${source}${then}`}</>;
  }
  const words = Object.entries(detail).map(([name, value]) => {
    if (Array.isArray(value)) return value.length === 0 ? "" : `${name} ${value.join(", ")}`;
    return typeof value === "string" || typeof value === "number" ? `${name} ${value}` : "";
  });
  return <>{words.filter(Boolean).join(", ")}</>;
}

function AcceptedStep({ detail, nowMs }: { detail: MessageDetail; nowMs: number }) {
  const { receivedAtMs, origin } = detail.message;
  const from = origin.clientAddress === "" ? "made by the relay" : `from ${origin.clientAddress}`;
  return (
    <li class="step" data-tone="good" data-shape="small">
      <div class="step-head">
        <span class="step-title">Accepted</span>
        <span class="soft small wrap">{from}, on disk before the reply</span>
        <span class="step-time">
          <Time atMs={receivedAtMs} nowMs={nowMs} form="clock" />
        </span>
      </div>
    </li>
  );
}
