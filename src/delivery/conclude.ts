import { formatReply, type Reply } from "../mail/reply.ts";
import type { EventSink } from "../observe/events.ts";
import type { Disposition, MessageRecord, RecipientRecord } from "../queue/store.ts";
import { type DeliveryReport, type Outcome, type RemoteHop } from "./transport.ts";

/** What a recipient's outcome means for the queue. */
export interface Conclusion {
  readonly recipient: RecipientRecord;
  readonly disposition: Disposition;
  readonly reply: Reply;
  /** What, if anything, the sender may have to be told (RFC 3461 section 5). */
  readonly news: "delivered" | "failed" | "expired" | "delayed" | null;
}

/** What the retry schedule says of a recipient whose attempt failed for now. */
export type RetryDecision =
  | { readonly kind: "retry"; readonly nextAttemptAtMs: number; readonly warnOfDelay: boolean }
  | { readonly kind: "expire" };

/** The retry schedule with its clock and randomness bound. */
export type RetryPolicy = (
  facts: {
    readonly message: MessageRecord;
    readonly recipient: RecipientRecord;
    readonly counts: boolean;
    readonly retryAfterMs?: number;
  },
) => RetryDecision;

/** An outcome that settles its recipient; the other kinds move it to the next transport. */
export type SettlingOutcome = Exclude<Outcome, { kind: "unsuitable" }>;

/** Turns one outcome into what the store is told. */
export function conclude(
  { message, recipient, outcome, retry }: {
    message: MessageRecord;
    recipient: RecipientRecord;
    outcome: SettlingOutcome;
    retry: RetryPolicy;
  },
): Conclusion {
  const { reply } = outcome;
  if (outcome.kind === "delivered") {
    const disposition: Disposition = { kind: "final", state: "delivered" };
    return { recipient, disposition, reply, news: "delivered" };
  }
  if (outcome.kind === "permanent") {
    return { recipient, disposition: { kind: "final", state: "failed" }, reply, news: "failed" };
  }
  const counts = !(outcome.kind === "temporary" && outcome.counts === false);
  const retryAfterMs = outcome.kind === "uncertain" ? undefined : outcome.retryAfterMs;
  const decision = retry({
    message,
    recipient,
    counts,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
  if (decision.kind === "expire") {
    return { recipient, disposition: { kind: "final", state: "expired" }, reply, news: "expired" };
  }
  const { nextAttemptAtMs, warnOfDelay } = decision;
  const disposition: Disposition = warnOfDelay
    ? { kind: "retry", nextAttemptAtMs, counts, delayNotified: true }
    : { kind: "retry", nextAttemptAtMs, counts };
  return { recipient, disposition, reply, news: warnOfDelay ? "delayed" : null };
}

/** The next hop as `host[address]:port`; empty when none was reached. */
export function formatRemote(remote: RemoteHop | null): string {
  if (remote === null) return "";
  return `${remote.host}[${remote.address}]:${remote.port}`;
}

/** Emits the event of one conclusion. */
export function emitConclusion(
  emit: EventSink,
  { conclusion, kind, message, transport, destination, report, nowMs }: {
    conclusion: Conclusion;
    kind: Outcome["kind"];
    message: MessageRecord;
    transport: string;
    destination: string;
    report: DeliveryReport | null;
    nowMs: number;
  },
): void {
  const { recipient, disposition, reply } = conclusion;
  const counted = disposition.kind !== "retry" || disposition.counts ? 1 : 0;
  const tls = report?.tls?.version;
  emit({
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
    ...(disposition.kind === "retry" ? { nextAttemptAtMs: disposition.nextAttemptAtMs } : {}),
  });
}

function eventType(
  disposition: Disposition,
  kind: Outcome["kind"],
): "delivered" | "deferred" | "bounced" | "expired" | "uncertain" {
  if (disposition.kind === "final") {
    if (disposition.state === "delivered") return "delivered";
    return disposition.state === "expired" ? "expired" : "bounced";
  }
  return kind === "uncertain" ? "uncertain" : "deferred";
}
