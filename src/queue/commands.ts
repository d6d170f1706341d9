/** What operators do to the queue. */
import type { EventOutline } from "./outbox.ts";
import type { MessageFilter } from "./queries.ts";

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
   * Every attempt to come is made by this transport, regardless of the routes, and the next one is
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
