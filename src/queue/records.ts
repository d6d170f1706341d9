/** What the queue holds: messages, their recipients and what happened to them. */
import type { BodyFacts, BodyType, EnvelopeExtras, Notify, Origin } from "../mail/envelope.ts";
import type { MessageSummary } from "../mail/summary.ts";
import type { OutboxEvent } from "./outbox.ts";

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

/**
 * Where the octets of a message are. Messages of one `putAll` share what they have in common: the
 * same array, or the same file, stands in the store once for all of them, until none needs it.
 */
export type BodyPlace =
  & {
    /** Octets of the message's own, in front of those that it may share. */
    readonly head?: Uint8Array;
  }
  & (
    | { readonly kind: "inline"; readonly bytes: Uint8Array }
    /** `name` is a file in the store's spool folder, complete and fsynced with its folder. */
    | { readonly kind: "spool"; readonly name: string }
  );

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
  /** Set when an operator chose its transport, regardless of its route. */
  readonly rerouted?: true;
  /** Attempts that may have delivered it, 3 at most; absent for none. */
  readonly doubts?: number;
  /** The last outcome in one line, as `451 4.7.1 Greylisted`; empty before the first attempt. */
  readonly lastReply: string;
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
