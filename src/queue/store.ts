import type { BodyFacts, BodyType, EnvelopeExtras, Notify, Origin } from "../mail/envelope.ts";
import type { MessageSummary } from "../mail/summary.ts";
import type { EventOutline, Outbox, OutboxEvent } from "./outbox.ts";
import type { Shelf, ShelfRecord } from "./shelf.ts";

export type { EventOutline, MessageSummary, Outbox, OutboxEvent, Shelf, ShelfRecord };

/**
 * The state of one recipient in the store. `queued` waits for `nextAttemptAtMs` or is claimed
 * by a node; `held` waits for an operator; the other four are final.
 */
export const RECIPIENT_STATES = [
  "queued",
  "held",
  "delivered",
  "failed",
  "expired",
  "cancelled",
] as const;
export type RecipientState = typeof RECIPIENT_STATES[number];

/** States from which nothing moves a recipient any more. */
export type FinalState = Exclude<RecipientState, "queued" | "held">;

/** What is known of a message apart from its octets and its recipients. */
export interface MessageRecord {
  /** Queue id. */
  readonly id: string;
  readonly receivedAtMs: number;
  /** Empty for the null reverse-path. */
  readonly reversePath: string;
  readonly body: BodyType;
  readonly smtpUtf8: boolean;
  readonly extras?: EnvelopeExtras;
  readonly origin: Origin;
  readonly facts: BodyFacts;
  /** Fields read from the header section, decoded and cut to a bounded length, for people. */
  readonly summary: MessageSummary;
  /** Values of the header fields that routes look at, by name in lower case; decoded and cut. */
  readonly headers?: Readonly<Record<string, readonly string[]>>;
  /**
   * Header fields in ASCII that stand in front of the octets when the message leaves, such as
   * signatures made when it came in; `facts` counts them.
   */
  readonly prefix?: string;
  /** The name of the route that an operator chose for it; absent means the first that fits. */
  readonly route?: string;
  /** When delivery is given up. */
  readonly expiresAtMs: number;
}

/** Where the octets of a message are. */
export type BodyPlace =
  | { readonly kind: "inline"; readonly bytes: Uint8Array }
  /** `name` is a file in the store's spool folder, complete and fsynced with its folder. */
  | { readonly kind: "spool"; readonly name: string };

/** A recipient as it enters the store. */
export interface NewRecipient {
  readonly forwardPath: string;
  /** As `Recipient.domain`; the key by which the scheduler is fair. */
  readonly domain: string;
  readonly notify?: readonly Notify[];
  readonly originalRecipient?: string;
  readonly state: "queued" | "held";
  readonly nextAttemptAtMs: number;
  /** The transport that an operator chose for it, as for `RecipientRecord.rerouted`. */
  readonly transport?: string;
  /** As in `RecipientRecord`. */
  readonly released?: true;
}

/** A message as it enters the store. */
export interface NewMessage extends MessageRecord {
  readonly place: BodyPlace;
  readonly recipients: readonly NewRecipient[];
  /**
   * When present, recipients that are `queued` and due are claimed for this owner in the same
   * transaction, so that fresh mail needs no second one before its first attempt.
   */
  readonly lease?: Lease;
  /** What goes into the outbox in the same transaction. */
  readonly events?: readonly OutboxEvent[];
}

/** A claim on recipients that ends by itself. */
export interface Lease {
  /** The node that holds it. */
  readonly owner: string;
  readonly untilMs: number;
}

/** A recipient as the store holds it. */
export interface RecipientRecord {
  /** Position in the envelope, from 0; with the message id it names the recipient. */
  readonly index: number;
  readonly forwardPath: string;
  readonly domain: string;
  readonly notify?: readonly Notify[];
  readonly originalRecipient?: string;
  readonly state: RecipientState;
  /**
   * Attempts that counted: those that a limit or an outage of ours prevented do not. Every final
   * state that `settle` brings counts one, except `cancelled`.
   */
  readonly attempts: number;
  readonly nextAttemptAtMs: number;
  /** Whether a delay notification went out already (RFC 3461 5.2.5). */
  readonly delayNotified: boolean;
  /** Set when an operator released it, so that no rule holds it again. */
  readonly released?: true;
  /**
   * Set when an operator gave it up: whoever claims it makes no attempt, but settles it as failed
   * with the notification that a failure has.
   */
  readonly returned?: true;
  /** The name of the transport of its last attempt or, when `rerouted`, of every attempt to come. */
  readonly transport?: string;
  /** Set when an operator chose its transport, whatever its route says. */
  readonly rerouted?: true;
  /** The last outcome in one line, as `451 4.7.1 Greylisted`; empty before the first attempt. */
  readonly lastReply: string;
}

/** A message with those of its recipients that were claimed together. */
export interface ClaimedMessage {
  readonly message: MessageRecord;
  readonly recipients: readonly RecipientRecord[];
  /** The octets, when they are stored inline and the claim had room for them. */
  readonly bytes?: Uint8Array;
}

/** What the scheduler asks for. */
export interface ClaimRequest {
  readonly nowMs: number;
  readonly owner: string;
  readonly leaseMs: number;
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
   * recipient that nobody holds (which may be now, when the limit cut the claim short); null
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
   * unless it changed no recipient.
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
}

/** One step in the life of a message, as operators see it. */
export interface TimelineEntry {
  readonly atMs: number;
  /**
   * `attempt` for a delivery attempt; otherwise what happened: `held`, `captured`,
   * `released`, `retried`, `cancelled`, `rerouted`, `readdressed`, `expired`, `notified`,
   * `interrupted` (the node holding the claim died), `quarantined` (the store lost the octets or the record, so that it is held) …
   */
  readonly kind: string;
  /** Indexes of the recipients it concerns; empty means all. */
  readonly recipients: readonly number[];
  /** Details, JSON values only: for an attempt transport, remote, tls, outcome, reply, durationMs. */
  readonly detail: Readonly<Record<string, unknown>>;
}

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

/** What an operator can do; all but `delete` is done to recipients that are not final. */
export type QueueCommand =
  /** Makes them due now. */
  | { readonly kind: "retry" }
  | { readonly kind: "hold" }
  | { readonly kind: "release" }
  /** Final, without a notification. */
  | { readonly kind: "cancel" }
  /** Due now, to be given up with a notification to the sender. */
  | { readonly kind: "bounce" }
  /**
   * Every attempt to come is made by this transport, whatever the routes say, and the next one is
   * due now; null goes back to the routes. Claimed recipients keep their claim.
   */
  | { readonly kind: "reroute"; readonly transport: string | null }
  /** Changes who gets the messages that are not done yet. */
  | ({ readonly kind: "readdress" } & Readdressing)
  /** Forgets whole messages with a recipient that fits, their timelines included. */
  | { readonly kind: "delete" };

/** Who gets a message no more, and who gets it besides. */
export interface Readdressing {
  /**
   * A mailbox that is cancelled where it fits the filter, without regard to ASCII case. Messages
   * without it stay as they are; absent means that nobody is cancelled.
   */
  readonly remove?: string;
  /** Due now; those that got the message, or will get it, are left as they are. */
  readonly add: readonly { readonly forwardPath: string; readonly domain: string }[];
}

/** A command for all recipients that fit. */
export interface CommandRequest {
  readonly filter: MessageFilter;
  readonly command: QueueCommand;
  readonly nowMs: number;
  /** Who commands it, for timelines. */
  readonly by: string;
  /** What goes into the outbox of each message that changes, in the same transaction. */
  readonly event?: EventOutline;
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
   * The earliest next attempt of a recipient that is queued and that nobody holds, in the past
   * when it is overdue; null when none waits.
   */
  readonly nextDueAtMs: number | null;
}

/**
 * A durable queue of messages. What `put`, `settle` and `command` did is on disk when they
 * resolve (the memory store, for tests and capture, keeps nothing). All of them are atomic for
 * each message. Calls may be made at any time without waiting for each other; the store groups
 * them into transactions.
 *
 * Every method throws `StoreError` when the store cannot do it; nothing was changed then.
 */
export interface QueueStore extends AsyncDisposable {
  readonly shelf: Shelf;
  readonly outbox: Outbox;
  put(message: NewMessage): Promise<void>;
  /** Puts all messages or none, in one transaction. */
  putAll(messages: readonly NewMessage[]): Promise<void>;
  claim(request: ClaimRequest): Promise<ClaimResult>;
  /** Extends this owner's claims on whole messages. Claims already lost are not revived. */
  renew(request: { owner: string; messageIds: readonly string[]; untilMs: number }): Promise<void>;
  /**
   * Settles claimed recipients. Recipients that the owner no longer holds, or that became final
   * meanwhile (cancelled by an operator), are left as they are, except that a delivery that took
   * place is recorded as one. When the last recipient becomes final the octets are removed, unless
   * the store keeps those of messages that failed.
   */
  settle(settlement: Settlement): Promise<void>;
  /** Ends all claims of `owner` without counting an attempt; returns how many recipients. */
  abandon(request: { owner: string; nowMs: number }): Promise<number>;
  /** The octets of a message in order, in chunks of at most 64 KiB; null when they are gone. */
  body(messageId: string, options?: BodyOptions): Promise<AsyncIterable<Uint8Array> | null>;
  get(messageId: string): Promise<MessageDetail | null>;
  list(request: ListRequest): Promise<MessagePage>;
  /** How many messages fit. */
  count(filter: MessageFilter): Promise<number>;
  /** The same, but for no longer than a time. */
  countWithin(filter: MessageFilter, withinMs: number): Promise<PartialCount>;
  /**
   * Applies a command to all recipients that fit; returns how many messages it changed. `hold`
   * and `cancel` end claims, `retry` leaves claimed recipients as they are.
   */
  command(request: CommandRequest): Promise<number>;
  stats(): Promise<StoreStats>;
  /** Forgets messages whose last recipient became final before `beforeMs`; returns how many. */
  purge(request: { beforeMs: number; limit: number }): Promise<number>;
  /**
   * Lets go of octets that were kept of messages that failed and were done before `beforeMs`;
   * returns of how many.
   */
  dropBodies(request: { beforeMs: number; limit: number }): Promise<number>;
  /**
   * Calls `listener` when somebody else (another node, the command line) changed the queue, so
   * that due mail may exist that this process does not know of. The returned function ends it.
   */
  onChange(listener: () => void): () => void;
  /** A writer for a body too large to stand inline. */
  spool(): SpoolWriter;
}

/** How octets are read. */
export interface BodyOptions {
  /**
   * Each chunk is good only until the next one is asked for, so that a message of any size needs
   * one buffer. For readers that are done with a chunk by then, and keep none.
   */
  readonly reuse?: boolean;
}

/** Writes one spool file. Nothing refers to it until a `put` names it. */
export interface SpoolWriter {
  /** Appends; the chunk must not change until the promise resolves. */
  write(chunk: Uint8Array): Promise<void>;
  /** Syncs the file and its folder and returns the name for `BodyPlace`. */
  finish(): Promise<string>;
  /** Removes what was written. */
  discard(): Promise<void>;
}

/** Why a store could not do what it was asked. */
export type StoreErrorKind =
  /** No space, or the quota is used up. */
  | "full"
  /** The folder or file cannot be written. */
  | "read_only"
  /** Another process holds the store. */
  | "locked"
  /** The file is not a queue, or damaged. */
  | "corrupt"
  /** The file was written by a newer version. */
  | "newer_schema"
  | "closed"
  | "unavailable";

/** A failure of the store, typed from the moment it happened. */
export class StoreError extends Error {
  override readonly name = "StoreError";
  readonly kind: StoreErrorKind;

  constructor(kind: StoreErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}
