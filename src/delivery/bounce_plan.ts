import type { DsnAction, DsnRecipient } from "../mail/dsn_types.ts";
import type { EnhancedCode } from "../mail/enhanced_code.ts";
import type { Notify } from "../mail/envelope.ts";
import type { Reply } from "../mail/reply.ts";
import type { MessageRecord, RecipientRecord } from "../queue/store.ts";
import type { DeliveryReport } from "./transport.ts";

/** What happened to a recipient that its sender may have to be told of; null for nothing new. */
export interface RecipientNews {
  readonly recipient: RecipientRecord;
  readonly reply: Reply;
  readonly news: "delivered" | "failed" | "expired" | "delayed" | null;
}

/** The facts from which it is decided who is told what. */
export interface NotificationFacts {
  readonly message: MessageRecord;
  readonly conclusions: readonly RecipientNews[];
  /** Null when no attempt was made. */
  readonly report: DeliveryReport | null;
  readonly nowMs: number;
  /** Mailbox that is notified of failures of mail without a reverse-path; null for none. */
  readonly postmaster: string | null;
}

/** Who is told what. */
export type NotificationPlan =
  /** Nothing to tell, or nobody asked. */
  | { readonly kind: "none" }
  | {
    readonly kind: "notify";
    readonly to: string;
    readonly forPostmaster: boolean;
    /** At least one. */
    readonly recipients: readonly DsnRecipient[];
  }
  /** Mail without a reverse-path was lost and there is nobody to tell. */
  | { readonly kind: "nobody"; readonly recipients: readonly DsnRecipient[] };

const NONE: NotificationPlan = { kind: "none" };

/** Decides who is told what of a settlement. One notification speaks of all its recipients. */
export function planNotification(facts: NotificationFacts): NotificationPlan {
  const { message, conclusions } = facts;
  if (message.reversePath === "") return planDoubleBounce(facts);
  const recipients: DsnRecipient[] = [];
  for (const conclusion of conclusions) {
    const action = actionFor(conclusion, facts.report);
    if (action === null || !wanted(conclusion.recipient.notify, action)) continue;
    recipients.push(dsnRecipient(conclusion, { action, facts }));
  }
  if (recipients.length === 0) return NONE;
  return { kind: "notify", to: message.reversePath, forPostmaster: false, recipients };
}

/**
 * RFC 5321 6.1: mail from the null reverse-path is never answered to its sender. An operator may
 * want to hear of what it failed to reach, but not of the failure to say so.
 */
function planDoubleBounce(facts: NotificationFacts): NotificationPlan {
  const { message, conclusions, postmaster } = facts;
  const lost = conclusions.filter(({ news }) => news === "failed" || news === "expired");
  if (lost.length === 0) return NONE;
  const recipients = lost.map((conclusion) =>
    dsnRecipient(conclusion, { action: "failed", facts })
  );
  const toPostmaster = lost.some(({ recipient }) => recipient.forwardPath === postmaster);
  if (postmaster === null || (message.origin.listener === "local" && toPostmaster)) {
    return { kind: "nobody", recipients };
  }
  return { kind: "notify", to: postmaster, forPostmaster: true, recipients };
}

function actionFor({ news }: RecipientNews, report: DeliveryReport | null): DsnAction | null {
  switch (news) {
    case null:
      return null;
    case "failed":
    case "expired":
      return "failed";
    case "delayed":
      return "delayed";
    case "delivered":
      if (report?.handover === "dsn") return null; // RFC 3461 5.2.1: now the next hop's duty
      return report?.handover === "final" ? "delivered" : "relayed"; // RFC 3461 5.2.2
  }
}

/** RFC 3461 4.1. Without NOTIFY the sender hears of failure and, as the RFC leaves open, of delay. */
function wanted(notify: readonly Notify[] | undefined, action: DsnAction): boolean {
  if (action === "failed") return notify?.includes("FAILURE") ?? true;
  if (action === "delayed") return notify?.includes("DELAY") ?? true;
  return notify?.includes("SUCCESS") ?? false;
}

function dsnRecipient(
  { recipient, reply, news }: RecipientNews,
  { action, facts }: { action: DsnAction; facts: NotificationFacts },
): DsnRecipient {
  const { message, report, nowMs } = facts;
  const { originalRecipient } = recipient;
  return {
    mailbox: recipient.forwardPath,
    ...(originalRecipient === undefined ? {} : { originalRecipient }),
    action,
    status: news === "expired" ? expiryStatus(message) : statusFor(action, reply),
    reply,
    remote: report?.remote ?? null,
    ...(news === "expired" ? { expired: true } : {}),
    lastAttemptAtMs: nowMs,
    ...(action === "delayed" ? { willRetryUntilMs: message.expiresAtMs } : {}),
  };
}

/** RFC 3463 3.5: X.4.7, delivery time expired; for good where the sender set it (RFC 2852 4.1). */
function expiryStatus({ extras }: MessageRecord): EnhancedCode {
  return extras?.deliverBy?.mode === "R" ? "5.4.7" : "4.4.7";
}

/** The reply's own status, with the class that the action has (RFC 3464 2.3.4). */
function statusFor(action: DsnAction, { enhanced }: Reply): EnhancedCode {
  const wantedClass = action === "failed" ? "5" : action === "delayed" ? "4" : "2";
  return `${wantedClass}${enhanced?.slice(1) ?? ".0.0"}` as EnhancedCode;
}
