/** What operators ask of the queue. */
import type { MessageRecord, RecipientRecord, RecipientState, TimelineEntry } from "./records.ts";

/**
 * Which messages a query or a command means; keys that are present must all fit. `states`,
 * `domain`, `recipient`, `transport`, `minAttempts` and `replyStart` must fit one and the same
 * recipient.
 */
export interface MessageFilter {
  readonly ids?: readonly string[];
  /** Messages with at least one recipient in one of these states. */
  readonly states?: readonly RecipientState[];
  /** Recipient domain. */
  readonly domain?: string;
  /** Whether the domains below `domain` fit as well. */
  readonly subdomains?: boolean;
  /** Whole mailbox, compared without regard to ASCII case; empty means the null reverse-path. */
  readonly sender?: string;
  /** Whole mailbox, compared without regard to ASCII case. */
  readonly recipient?: string;
  /** The transport of the last attempt, or the one that an operator chose. */
  readonly transport?: string;
  readonly receivedBeforeMs?: number;
  readonly receivedAfterMs?: number;
  /** Name of the listener that took it. */
  readonly listener?: string;
  readonly minSizeBytes?: number;
  readonly maxSizeBytes?: number;
  /** Recipients with at least this many attempts. */
  readonly minAttempts?: number;
  /** What the last reply begins with: `451`, `451 4.7.1`. */
  readonly replyStart?: string;
  /** A part of subject, author, reverse-path or a recipient, without regard to ASCII case. */
  readonly text?: string;
}

/** One row of a list. */
export interface MessageListItem {
  readonly message: MessageRecord;
  readonly recipientCount: number;
  /** How many recipients are in each state; absent means none. */
  readonly states: Readonly<Partial<Record<RecipientState, number>>>;
  /** The first recipients, at most five. */
  readonly firstRecipients: readonly string[];
  /** The most attempts any recipient had. */
  readonly attempts: number;
  /** The earliest next attempt of a queued recipient. */
  readonly nextAttemptAtMs: number | null;
  /** The last reply of the recipient that was settled last. */
  readonly lastReply: string;
}

/** The orders in which messages are listed; the next attempt is that of queued recipients. */
export const LIST_ORDERS = ["newest", "oldest", "next", "largest", "attempts"] as const;

export type ListOrder = typeof LIST_ORDERS[number];

/** What is to be listed. */
export interface ListRequest {
  readonly filter: MessageFilter;
  readonly limit: number;
  /** Default `newest`. */
  readonly order?: ListOrder;
  /** Of a page before, in the same order. */
  readonly cursor?: string;
}

/** How many messages fit, as far as there was time to count. */
export interface PartialCount {
  readonly count: number;
  /** False when there may be more. */
  readonly isComplete: boolean;
}

export interface MessagePage {
  readonly items: readonly MessageListItem[];
  /**
   * Hand it back to get the next page; null on the last one. A page may be short, even empty, and
   * still not be the last: a search that finds little stops after a while.
   */
  readonly cursor: string | null;
}

/** Everything about one message but its octets. */
export interface MessageDetail {
  readonly message: MessageRecord;
  readonly recipients: readonly (RecipientRecord & { readonly claimedBy: string | null })[];
  readonly timeline: readonly TimelineEntry[];
  /** False when the octets were removed, after the last recipient became final. */
  readonly hasBody: boolean;
}

/** Counts for status displays and metrics. */
export interface StoreStats {
  /** Recipients in each state; final ones as long as their history is kept. */
  readonly recipients: Readonly<Record<RecipientState, number>>;
  /** Messages with a recipient that is not final. */
  readonly liveMessages: number;
  /** When the oldest of those was received; null when there is none. */
  readonly oldestReceivedAtMs: number | null;
  /**
   * The earliest next attempt of a recipient that is queued and that is not claimed, in the past
   * when it is overdue; null when none waits.
   */
  readonly nextDueAtMs: number | null;
}
