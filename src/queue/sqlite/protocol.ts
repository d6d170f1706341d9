import type { OutboxCall, OutboxEvent, PlacedEvent } from "../outbox.ts";
import type { DatabaseFacts } from "./inspect.ts";
import type { ShelfEntry, ShelfListRequest, ShelfRecord } from "../shelf.ts";
import type {
  ClaimRequest,
  CommandRequest,
  ListRequest,
  MessageFilter,
  PartialCount,
  QueueShape,
  RecipientState,
  ShapeRequest,
  StoreErrorKind,
  StoreStats,
} from "../store.ts";

/**
 * What the store and its workers say to each other. The busy calls travel as flat arrays, which
 * cost a fraction of what nested objects do; octets travel in one buffer that changes hands.
 */
export interface Calls {
  put: { args: PackedMessage; result: null };
  putAll: { args: readonly PackedMessage[]; result: null };
  claim: { args: ClaimRequest; result: PackedClaim };
  renew: {
    args: { owner: string; messageIds: readonly string[]; untilMs: number };
    result: null;
  };
  settle: { args: PackedSettlement; result: null };
  /** Ends claims, at most `limit`; returns how many. */
  abandon: { args: { owner: string; endedMs: number; limit: number }; result: number };
  /** Ends the claims of a process that died, at most `limit`; returns how many. */
  interrupt: { args: { nowMs: number; limit: number }; result: number };
  /** Works on some messages after `after`; that of the result is null when all are done. */
  command: {
    args: CommandRequest & { after: number | null };
    result: { changed: number; after: number | null };
  };
  purge: { args: { beforeMs: number; limit: number }; result: number };
  dropBodies: { args: { beforeMs: number; limit: number }; result: number };
  /** Names of the spool files that messages refer to. */
  spoolNames: { args: null; result: string[] };
  list: {
    args: ListRequest & Part;
    result: PackedPage;
  };
  count: { args: CountRequest; result: PartialCount };
  shape: { args: ShapeRequest; result: QueueShape };
  get: { args: string; result: PackedDetail | null };
  body: { args: string; result: PackedBody | null };
  stats: { args: null; result: StoreStats };
  shelfGet: { args: { space: string; key: string; nowMs: number }; result: ShelfEntry | null };
  shelfPut: { args: { space: string; entry: ShelfEntry }; result: null };
  shelfClaim: {
    args: { space: string; entry: ShelfEntry; nowMs: number };
    result: ShelfEntry | null;
  };
  shelfDelete: { args: { space: string; key: string; nowMs: number }; result: boolean };
  shelfList: { args: ShelfListRequest & { nowMs: number }; result: ShelfEntry[] };
  shelfPurge: { args: { nowMs: number; limit: number }; result: number };
  outboxAppend: { args: readonly OutboxEvent[]; result: null };
  outboxRead: { args: { after: number; limit: number }; result: PlacedEvent[] };
  /** The place before events from a time on; null asks for the last place. */
  outboxPlace: { args: number | null; result: number };
  outboxReached: { args: string; result: number | null };
  outboxMove: { args: { webhook: string; place: number }; result: null };
  outboxRecord: { args: { call: OutboxCall; place: number | null }; result: null };
  outboxCalls: {
    args: { webhook: string | null; limit: number; below: number | null };
    result: (OutboxCall & { id: number })[];
  };
  outboxPurge: { args: { beforeMs: number; limit: number }; result: number };
}

/** Which part of the messages is looked at. */
export interface Part {
  /** From 0, the oldest. */
  readonly part: number;
  /** How many parts there are. */
  readonly parts: number;
}

/** What is to be counted. */
export interface CountRequest extends Part {
  readonly filter: MessageFilter;
  readonly withinMs: number;
}

/** A page of a list. */
export interface PackedPage {
  readonly items: readonly PackedListItem[];
  readonly cursor: string | null;
  /** Where each item stands in an order by a value; empty in the other orders. */
  readonly places: readonly Place[];
}

/** A place in an order by a value: the value, and the message or the recipient that has it. */
export interface Place {
  readonly value: number;
  readonly key: number;
}

export type CallName = keyof Calls;
/** What one worker can do. */
export type Handlers = {
  readonly [Name in CallName]?: (args: Calls[Name]["args"]) => Calls[Name]["result"];
};

/** A message on its way in. Its inline octets stand in the batch's buffer. */
export type PackedMessage = readonly [
  id: string,
  receivedAtMs: number,
  reversePath: string,
  /** The MessageRecord as JSON. */
  record: string,
  spool: string | null,
  bodyStart: number,
  bodyBytes: number,
  leaseOwner: string | null,
  leaseUntilMs: number,
  nowMs: number,
  /**
   * For each recipient: forward-path, domain, extras as JSON, state, time of next attempt, marks,
   * transport.
   */
  recipients: readonly (string | number | null)[],
  /** For the outbox. */
  events: readonly OutboxEvent[],
  sizeBytes: number,
  listener: string,
  /** See search_text.ts. */
  text: string,
  headStart: number,
  /** 0 for none. */
  headBytes: number,
  /**
   * The position in its `putAll` of the first message that has the same octets, which may be this
   * one; null when it has all octets for itself.
   */
  sharesWith: number | null,
];
export const PACKED_RECIPIENT_FIELDS = 7;

export type PackedSettlement = readonly [
  messageId: string,
  owner: string,
  nowMs: number,
  /** For each recipient: index, disposition, time of next attempt, flags, reply. */
  recipients: readonly (string | number | null)[],
  /** Entries as JSON. */
  timeline: readonly string[],
  notifications: readonly PackedMessage[],
  /** For the outbox. */
  events: readonly OutboxEvent[],
  /** For the shelf. */
  records: readonly ShelfRecord[],
  /** For the shelf; nothing is done if it is there. */
  once: ShelfRecord | null,
  transport: string | null,
  isAgain: boolean,
];
export const PACKED_DISPOSITION_FIELDS = 5;
export const FLAG_COUNTS = 1;
export const FLAG_DELAY_NOTIFIED = 2;
export const FLAG_DOUBTFUL = 4;

/** A recipient as a row. */
export type RecipientRow = readonly [
  /** See key.ts. */
  key: number,
  forwardPath: string,
  domain: string,
  extras: string | null,
  state: number,
  attempts: number,
  nextAttemptAtMs: number,
  /** Of MARK_DELAY_NOTIFIED and the others below. */
  marks: number,
  lastReply: string,
  transport: string | null,
];
/** Marks of a recipient; they stand in the column `delay_notified`. */
export const MARK_DELAY_NOTIFIED = 1;
export const MARK_RELEASED = 2;
export const MARK_RETURNED = 4;
export const MARK_REROUTED = 8;
/** Two bits from here on count the doubtful attempts. */
export const DOUBTS_SHIFT = 4;

/** The marks of a recipient as one number. */
export function marksOf(
  { delayNotified, released, returned, rerouted, doubts }: {
    readonly delayNotified: boolean;
    readonly released: boolean;
    readonly returned: boolean;
    readonly rerouted: boolean;
    readonly doubts: number;
  },
): number {
  return (delayNotified ? MARK_DELAY_NOTIFIED : 0) | (released ? MARK_RELEASED : 0) |
    (returned ? MARK_RETURNED : 0) | (rerouted ? MARK_REROUTED : 0) | (doubts << DOUBTS_SHIFT);
}

/** How many doubtful attempts the marks of a recipient count. */
export function doubtsIn(marks: number): number {
  return (marks >> DOUBTS_SHIFT) & 3;
}

export interface PackedClaim {
  readonly claimed: readonly {
    readonly record: string;
    readonly bytes: Uint8Array | null;
    readonly recipients: readonly RecipientRow[];
  }[];
  readonly nextDueAtMs: number | null;
}

/** The columns from which a record is made, or replaced when its JSON is damaged. */
export interface PackedRecord {
  readonly id: string;
  readonly receivedAtMs: number;
  readonly reversePath: string;
  readonly record: string;
}

export interface PackedListItem extends PackedRecord {
  readonly states: Partial<Record<RecipientState, number>>;
  readonly recipientCount: number;
  readonly firstRecipients: readonly string[];
  readonly attempts: number;
  readonly nextAttemptAtMs: number | null;
  readonly lastReply: string;
}

export interface PackedDetail extends PackedRecord {
  readonly recipients: readonly RecipientRow[];
  /** Who holds each recipient. */
  readonly owners: readonly (string | null)[];
  /** Entries as JSON. */
  readonly timeline: readonly string[];
  readonly hasBody: boolean;
}

export type PackedBody =
  | { readonly kind: "inline"; readonly bytes: Uint8Array<ArrayBuffer> }
  | {
    readonly kind: "spool";
    readonly name: string;
    readonly head: Uint8Array<ArrayBuffer> | null;
  };

/** What a worker is told. */
export type Request =
  | {
    readonly kind: "open";
    readonly role: "writer" | "reader";
    readonly folder: string;
    /** Whether octets of messages that failed stay until `dropBodies`. */
    readonly keepsFailed: boolean;
    /** How often to look for changes by others; 0 means never. */
    readonly watchMs: number;
  }
  | {
    readonly kind: "batch";
    readonly calls: readonly (readonly [CallName, unknown])[];
    readonly bytes: ArrayBuffer;
    /** Whether a worker that died may have done them; what is done is not done twice then. */
    readonly isAgain: boolean;
  }
  /** Copies the database at `from` to `to`, which must not be there. */
  | { readonly kind: "snapshot"; readonly from: string; readonly to: string }
  | { readonly kind: "inspect"; readonly path: string }
  | { readonly kind: "close" };

/** What a worker says. */
export type Response =
  | { readonly kind: "inspected"; readonly facts: DatabaseFacts }
  | { readonly kind: "opened" | "closed" | "changed" }
  | {
    readonly kind: "failed";
    readonly failure: { readonly kind: StoreErrorKind; readonly message: string };
  }
  | {
    readonly kind: "done";
    /** Results in the order of the calls. */
    readonly results: readonly unknown[];
    /** Calls that failed, by position. */
    readonly failures: readonly (readonly [number, StoreErrorKind, string])[];
    /** The batch's buffer, for the next one. */
    readonly bytes: ArrayBuffer;
  };
