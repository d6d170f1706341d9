import { parseIp } from "../base/ip.ts";
import { formatReply, type Reply } from "../mail/reply.ts";
import type { RelayEvent } from "../observe/events.ts";
import type { Disposition, MessageRecord, RecipientRecord } from "../queue/store.ts";
import { type DeliveryReport, type Outcome, type RemoteHop } from "./transport.ts";

/** What a recipient's outcome means for the queue. */
export interface Conclusion {
  readonly recipient: RecipientRecord;
  readonly disposition: Disposition;
  /** When the next attempt is expected; null for none. */
  readonly nextAttemptAtMs: number | null;
  readonly reply: Reply;
  /** What, if anything, the sender may have to be notified of (RFC 3461 section 5). */
  readonly news: "delivered" | "failed" | "expired" | "delayed" | null;
}

/** What the retry schedule says of a recipient whose attempt failed for now. */
export type RetryDecision =
  | { readonly kind: "retry"; readonly nextAttemptAtMs: number; readonly warnOfDelay: boolean }
  | { readonly kind: "expire" }
  /** It may have been delivered, so many times now; an operator decides. */
  | { readonly kind: "hold"; readonly copies: number }
  /** It may have been delivered and is taken for it. */
  | { readonly kind: "assume" };

/** The retry schedule with its clock and randomness bound. */
export type RetryPolicy = (
  facts: {
    readonly message: MessageRecord;
    readonly recipient: RecipientRecord;
    readonly counts: boolean;
    /** Whether it may have been delivered. */
    readonly isUncertain: boolean;
    readonly retryAfterMs?: number;
  },
) => RetryDecision;

/** An outcome that settles its recipient; the other kinds move it to the next transport. */
export type SettlingOutcome = Exclude<Outcome, { kind: "unsuitable" }>;

/** Turns one outcome into the settlement. */
export function conclude(
  { message, recipient, outcome, retry, keepsPlace = false, staysDue = false }: {
    message: MessageRecord;
    recipient: RecipientRecord;
    outcome: SettlingOutcome;
    retry: RetryPolicy;
    /**
     * Whether nothing at all is claimed until the wait is over, so that the recipient may stay due
     * as it was and keep its place before those that came later.
     */
    keepsPlace?: boolean;
    /**
     * Whether it goes back to the store as it was, to be claimed again at once: nothing was tried,
     * so that nothing is late, or over.
     */
    staysDue?: boolean;
  },
): Conclusion {
  const isUncertain = outcome.kind === "uncertain";
  const reply = isUncertain ? maybeSent(outcome.reply, "maybe sent") : outcome.reply;
  const final = { recipient, reply, nextAttemptAtMs: null };
  if (outcome.kind === "delivered") {
    return { ...final, disposition: { kind: "final", state: "delivered" }, news: "delivered" };
  }
  if (outcome.kind === "permanent") {
    return { ...final, disposition: { kind: "final", state: "failed" }, news: "failed" };
  }
  if (staysDue) {
    const { nextAttemptAtMs } = recipient;
    const disposition = { kind: "retry", nextAttemptAtMs, counts: false } as const;
    return { recipient, disposition, nextAttemptAtMs, reply, news: null };
  }
  const counts = countsAsAttempt(outcome);
  const retryAfterMs = isUncertain ? undefined : outcome.retryAfterMs;
  const decision = retry({
    message,
    recipient,
    counts,
    isUncertain,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
  if (decision.kind === "expire") {
    return { ...final, disposition: { kind: "final", state: "expired" }, news: "expired" };
  }
  if (decision.kind === "hold") {
    const held = decision.copies === 1 ? reply : maybeSent(
      outcome.reply,
      `maybe sent ${decision.copies} times, held: ask the recipient, then cancel or release it`,
    );
    return { ...final, reply: held, disposition: { kind: "hold", counts: true }, news: null };
  }
  if (decision.kind === "assume") { // nobody is told of a success that nobody knows of
    return { ...final, disposition: { kind: "final", state: "delivered" }, news: null };
  }
  const { nextAttemptAtMs, warnOfDelay } = decision;
  const dueAtMs = keepsPlace && !counts ? recipient.nextAttemptAtMs : nextAttemptAtMs;
  const disposition: Disposition = {
    ...{ kind: "retry", nextAttemptAtMs: dueAtMs, counts },
    ...(warnOfDelay ? { delayNotified: true } : {}),
    ...(isUncertain ? { doubtful: true } : {}),
  };
  return { recipient, disposition, nextAttemptAtMs, reply, news: warnOfDelay ? "delayed" : null };
}

/** What people see of the last attempt wherever the recipient is listed. */
function maybeSent({ lines, ...reply }: Reply, note: string): Reply {
  return { ...reply, lines: [...lines.slice(0, -1), `${lines.at(-1) ?? ""} (${note})`] };
}

/** A limit, or a transport that is broken for everybody, is no attempt at the recipient. */
function countsAsAttempt(outcome: Exclude<SettlingOutcome, { kind: "delivered" | "permanent" }>) {
  if (outcome.kind === "temporary") return outcome.counts !== false;
  return !(outcome.kind === "broken" && outcome.scope === "transport");
}

/**
 * The next hop as `host[address]:port`, or the path of its Unix socket; empty when none was
 * reached.
 */
export function formatRemote(remote: RemoteHop | null): string {
  if (remote === null) return "";
  const { host, address, port } = remote;
  if (port === 0) return address;
  const isLookedUp = address !== "" && (address !== host || parseIp(host) !== null);
  return isLookedUp ? `${host}[${address}]:${port}` : `${host}:${port}`; // else by somebody else
}

/** The kind of an outcome, or why there was no attempt at all. */
export type OutcomeKind = Outcome["kind"] | "suppressed";

/** The kind by which an outcome is told. */
export function kindOf(outcome: Outcome): OutcomeKind {
  return outcome.kind === "permanent" && outcome.suppressed === true ? "suppressed" : outcome.kind;
}

/** An event about what became of a recipient. */
type OutcomeEvent = Extract<RelayEvent, { readonly delayMs: number }>;

/** The event of one conclusion. */
export function conclusionEvent(
  { conclusion, kind, message, transport, destination, report, nowMs, durationMs }: {
    conclusion: Conclusion;
    kind: OutcomeKind;
    message: MessageRecord;
    transport: string;
    destination: string;
    report: DeliveryReport | null;
    nowMs: number;
    durationMs: number | undefined;
  },
): OutcomeEvent {
  const { recipient, disposition, nextAttemptAtMs, reply } = conclusion;
  const counted = disposition.kind !== "retry" || disposition.counts ? 1 : 0;
  const tls = report?.tls?.version;
  return {
    type: eventType(disposition, kind),
    messageId: message.id,
    recipient: recipient.forwardPath,
    transport,
    destination,
    remote: formatRemote(report?.remote ?? null),
    ...(tls === undefined ? {} : { tls }),
    reply: formatReply(reply),
    attempts: recipient.attempts + counted,
    delayMs: nowMs - message.receivedAtMs,
    ...(durationMs === undefined ? {} : { durationMs }),
    ...(nextAttemptAtMs === null ? {} : { nextAttemptAtMs }),
  };
}

function eventType(disposition: Disposition, kind: OutcomeKind): OutcomeEvent["type"] {
  if (kind === "suppressed") return "suppressed";
  if (kind === "uncertain" && !(disposition.kind === "final" && disposition.state === "expired")) {
    return "uncertain";
  }
  if (disposition.kind === "final") {
    if (disposition.state === "delivered") return "delivered";
    return disposition.state === "expired" ? "expired" : "bounced";
  }
  return "deferred";
}
