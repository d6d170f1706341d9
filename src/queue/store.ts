import type { CommandRequest } from "./commands.ts";
import type { Outbox } from "./outbox.ts";
import type {
  ListRequest,
  MessageDetail,
  MessageFilter,
  MessagePage,
  PartialCount,
  StoreStats,
} from "./queries.ts";
import type { NewMessage } from "./records.ts";
import type { QueueShape, ShapeRequest } from "./shape.ts";
import type { Shelf } from "./shelf.ts";
import type { ClaimRequest, ClaimResult, Settlement } from "./work.ts";

export type { MessageSummary } from "../mail/summary.ts";
export type { EventOutline, Outbox, OutboxEvent } from "./outbox.ts";
export type { Shelf, ShelfRecord } from "./shelf.ts";
export * from "./commands.ts";
export * from "./queries.ts";
export * from "./records.ts";
export type {
  Crowd,
  DomainCrowd,
  QueueShape,
  ReasonCrowd,
  ShapeRequest,
  WaitingState,
} from "./shape.ts";
export * from "./work.ts";

/**
 * A durable queue of messages. What `put`, `settle` and `command` did is on disk when they
 * resolve (the memory store, for tests and capture, keeps nothing). All of them are atomic for
 * each message. Calls may be made at any time without waiting for each other; the store groups
 * them into transactions.
 *
 * Every method throws `StoreError` when the store cannot do it; nothing was changed then, unless
 * the error says that it may be done.
 */
export interface QueueStore extends AsyncDisposable {
  readonly shelf: Shelf;
  readonly outbox: Outbox;
  /** Takes over the spool file that the message names, and removes it when it fails. */
  put(message: NewMessage): Promise<void>;
  /** Puts all messages or none, in one transaction; spool files as with `put`. */
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
  /**
   * Ends claims of `owner` without counting an attempt: all, or those whose lease ran until
   * `endedMs` or sooner. Returns how many recipients.
   */
  abandon(request: { owner: string; nowMs: number; endedMs?: number }): Promise<number>;
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
  /** What waits, by domain, age and reason; a long queue is answered for as fast as a short one. */
  shape(request: ShapeRequest): Promise<QueueShape>;
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
  /** How many octets at the beginning are left out, without reading them; none where not given. */
  readonly from?: number;
}

/**
 * Writes one spool file. Nothing refers to it until a `put` names it; until then it is kept for as
 * long as this store is open.
 */
export interface SpoolWriter {
  /** Appends; the chunk must not change until the promise resolves. */
  write(chunk: Uint8Array): Promise<void>;
  /** Syncs the file and its folder and returns the name for `BodyPlace`. */
  finish(): Promise<string>;
  /** Removes what was written, unless a `put` has named it: then it does nothing. */
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
  /**
   * Whether it may have been done all the same: the thread that would know died.
   * Otherwise nothing was changed.
   */
  readonly mayBeDone: boolean;

  constructor(
    kind: StoreErrorKind,
    message: string,
    { mayBeDone = false, ...options }: ErrorOptions & { readonly mayBeDone?: boolean } = {},
  ) {
    super(message, options);
    this.kind = kind;
    this.mayBeDone = mayBeDone;
  }
}
