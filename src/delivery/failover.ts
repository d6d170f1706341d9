import { reply } from "../mail/reply.ts";
import type { RecipientRecord } from "../queue/store.ts";
import { type Job, nextStep } from "./job.ts";
import type { Outcome, Setback } from "./transport.ts";

/** Where the recipients of an attempt go. */
export interface Division {
  /** Those whose outcome stands, with it. */
  readonly settled: {
    readonly recipients: readonly RecipientRecord[];
    readonly outcomes: readonly Outcome[];
  };
  /** Jobs with the next transport of the route for others. */
  readonly moved: readonly Job[];
  /** Those that stay in line until a limit is over; empty when nobody does. */
  readonly waiting: readonly RecipientRecord[];
}

/** A transport said nothing of a recipient. */
const NOTHING_SAID: Outcome = {
  kind: "temporary",
  reply: reply(451, "4.3.0", "Internal error, see the relay's log"),
};

/**
 * Parts the recipients of an attempt into those whose outcome stands and those that another
 * transport may still serve: this one is broken, at a limit, or cannot carry the message.
 */
export function divide(
  job: Job,
  { outcomes, entersAnew = false, mayWait = false }: {
    /** One for each recipient of the job, in its order. */
    outcomes: readonly Outcome[];
    /** Whether other rules are in force by now: they say which transports are left. */
    entersAnew?: boolean;
    /** Whether the only transport of the route is at a limit that is over soon. */
    mayWait?: boolean;
  },
): Division {
  const isLast = !entersAnew && job.step + 1 >= job.transports.length;
  const recipients: RecipientRecord[] = [];
  const standing: Outcome[] = [];
  const waiting: RecipientRecord[] = [];
  const moving: RecipientRecord[] = [];
  const setbacks = new Map<RecipientRecord, Setback>();
  job.recipients.forEach((recipient, position) => {
    const outcome = outcomes[position] ?? NOTHING_SAID;
    const known = job.setbacks.get(recipient) ?? null;
    if (mayWait && isLimited(outcome)) return void waiting.push(recipient);
    if (isLast || !concernsTransport(outcome)) {
      recipients.push(recipient);
      standing.push(isLast ? lastOutcome(outcome, known) : outcome);
      return;
    }
    moving.push(recipient);
    const setback = outcome.kind === "unsuitable" ? known : sooner(known, outcome);
    if (setback !== null) setbacks.set(recipient, setback);
  });
  const moved = entersAnew && moving.length > 0
    ? [{ ...job, recipients: moving }]
    : nextStep(job, { recipients: moving, setbacks });
  return { settled: { recipients, outcomes: standing }, moved, waiting };
}

/** Of two setbacks the one that is known to be over first. */
export function sooner(known: Setback | null, setback: Setback): Setback {
  if (known === null) return setback;
  const knownMs = known.retryAfterMs ?? Infinity;
  const setbackMs = setback.retryAfterMs ?? Infinity;
  return knownMs < setbackMs ? known : setback;
}

/** Whether an outcome says something of the transport and nothing of the message for good. */
function concernsTransport(
  outcome: Outcome,
): outcome is Setback | Extract<Outcome, { kind: "unsuitable" }> {
  return outcome.kind === "unsuitable" || isSetback(outcome);
}

function isSetback(outcome: Outcome): outcome is Setback {
  return outcome.kind === "broken" || isLimited(outcome);
}

/** A limit and not the message prevented the delivery. */
export function isLimited(outcome: Outcome): outcome is Extract<Outcome, { kind: "temporary" }> {
  return outcome.kind === "temporary" && outcome.counts === false;
}

/**
 * Whether some recipients kept the message from the others, for whom nothing was tried: the peer
 * is fine, and can be asked for these at once. Each time it blames somebody there is one less.
 */
export function isBlame(outcomes: readonly Outcome[]): boolean {
  const limited = outcomes.filter(isLimited);
  return limited.length > 0 && outcomes.some(({ kind }) => kind === "permanent") &&
    limited.every(({ retryAfterMs, slowsDown }) =>
      retryAfterMs === undefined && slowsDown !== true
    );
}

/**
 * What the last transport's outcome comes to: a message that does not suit it waits for an earlier
 * one that would take it, and limits are waited for at the transport whose limit is over first.
 */
function lastOutcome(outcome: Outcome, setback: Setback | null): Outcome {
  if (setback === null || !concernsTransport(outcome)) return outcome;
  return outcome.kind === "unsuitable" ? setback : sooner(setback, outcome);
}
