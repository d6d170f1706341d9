/** What the scheduler asks of the queue: to claim what is due, and to settle the outcomes. */
import type { OutboxEvent } from "./outbox.ts";
import type {
  FinalState,
  MessageRecord,
  NewMessage,
  RecipientRecord,
  TimelineEntry,
} from "./records.ts";
import type { ShelfRecord } from "./shelf.ts";

/** A message with those of its recipients that were claimed together. */
export interface ClaimedMessage {
  readonly message: MessageRecord;
  readonly recipients: readonly RecipientRecord[];
  /** The octets, when they are stored inline and the claim had room for them. */
  readonly bytes?: Uint8Array;
}

/**
 * What the scheduler asks for. It is a sign of life: claims of others that ended are freed, those of
 * the owner itself stay, also when the clock is set.
 */
export interface ClaimRequest {
  readonly nowMs: number;
  readonly owner: string;
  readonly leaseMs: number;
  /** From when the leases run, on a scale of the owner's; absent means from `nowMs`. */
  readonly leaseFromMs?: number;
  /** The most recipients to claim. */
  readonly limit: number;
  /** The most recipients of one domain in the window, those in `active` included. */
  readonly perDomain: number;
  /** How many recipients of each domain the scheduler holds already; absent means none. */
  readonly active: ReadonlyMap<string, number>;
  /**
   * Domains that must not be tried before a time. Due recipients of theirs that the claim comes
   * across are put off until then, uncounted, with `reason` as their last reply, unless an operator
   * chose their transport.
   */
  readonly paused: ReadonlyMap<string, { readonly untilMs: number; readonly reason: string }>;
  /** The most octets of inline bodies to return with the claim. */
  readonly bodyBudgetBytes: number;
}

export interface ClaimResult {
  readonly claimed: readonly ClaimedMessage[];
  /**
   * When the scheduler should ask again if nothing else happens: the time of the next due
   * recipient that is not claimed (which may be now, when the limit cut the claim short); null
   * when none waits.
   */
  readonly nextDueAtMs: number | null;
}

/** What one attempt, or a decision without one, means for a recipient. */
export type Disposition =
  | {
    readonly kind: "retry";
    readonly nextAttemptAtMs: number;
    /** False when a limit or an outage of ours prevented the attempt. */
    readonly counts: boolean;
    /** Set when this settlement also queues a delay notification for the recipient. */
    readonly delayNotified?: true;
    /** Set when the attempt may have delivered it. */
    readonly doubtful?: true;
  }
  | { readonly kind: "final"; readonly state: FinalState }
  /** `counts` where an attempt was made. */
  | { readonly kind: "hold"; readonly counts?: true };

/** Ends the claim on some recipients of one message. */
export interface Settlement {
  readonly messageId: string;
  readonly owner: string;
  readonly recipients: readonly {
    readonly index: number;
    readonly disposition: Disposition;
    /** The outcome in one line for `lastReply`; absent leaves the last one standing. */
    readonly reply?: string;
  }[];
  /** The transport of the attempt; absent when none was made. */
  readonly transport?: string;
  /** Lines for the message's timeline. */
  readonly timeline: readonly TimelineEntry[];
  /**
   * Notifications that must exist exactly if this settlement does; put in the same transaction,
   * unless nothing that they tell of was changed (`owesNotifications`).
   */
  readonly notifications: readonly NewMessage[];
  /** What goes into the outbox in the same transaction, even if no recipient was changed. */
  readonly events?: readonly OutboxEvent[];
  /** Small records that are put in the same transaction, even if no recipient was changed. */
  readonly records?: readonly ShelfRecord[];
  /**
   * Put in the same transaction, too. If a record of that name is there already, the settlement
   * does nothing at all: whoever hears of something twice settles it once.
   */
  readonly once?: ShelfRecord;
  /**
   * Set when the same settlement failed before with an error that says that it may be done: then
   * it does nothing if the first line of its timeline or one of its notifications is there already.
   */
  readonly again?: true;
}
