import { parseMailbox } from "../../mail/address.ts";
import type { MessageFilter } from "../store.ts";
import {
  allOf,
  and,
  commonCondition,
  type Condition,
  existsCondition,
  idsCondition,
  looksAtRecipients,
  looksAtText,
  MESSAGE_OF_RECIPIENT,
  recipientCondition,
  textCondition,
  wholeCondition,
} from "./conditions.ts";
import type { Database } from "./database.ts";
import { POSITION_BITS } from "./key.ts";
import type { Part } from "./protocol.ts";
import { BUCKET_BITS, KEY_BUCKET_BITS } from "./schema.ts";

/** How many messages one bucket holds. */
export const BUCKET_SIZE = 2 ** BUCKET_BITS;

/** Where the messages of some buckets that fit a filter are found. */
export interface Source {
  /**
   * FROM and WHERE of what fits in the buckets from `?1` to `?2`, both included; further
   * conditions may follow.
   */
  readonly sql: string;
  /** Values for the places after `?2`. */
  readonly values: Condition["values"];
  /** The number of a message that fits. */
  readonly found: string;
  /** Whether a message is found once for each of its recipients that fit. */
  readonly mayRepeat: boolean;
}

/** Where the messages that fit are found best. */
export function sourceOf(database: Database, filter: MessageFilter): Source {
  if (!looksAtRecipients(filter)) return messageSource(wholeCondition(filter));
  if (!looksAtText(filter)) return recipientSource(filter);
  return cheaperSource(database, filter);
}

/** Looks at what is known of messages. */
function messageSource(condition: Condition, join = ""): Source {
  return {
    found: "f.seq",
    mayRepeat: false,
    sql: `facts f ${join} WHERE f.seq >= ?1 << ${BUCKET_BITS} AND f.seq < (?2 + 1) << ${BUCKET_BITS}
          ${and(condition)}`,
    values: condition.values,
  };
}

/** The buckets one by one, where what is looked for stands together in each. */
const EACH_BUCKET = `(WITH RECURSIVE bucket (n) AS
  (VALUES (?2) UNION ALL SELECT n - 1 FROM bucket WHERE n > ?1) SELECT n FROM bucket) bucket
  CROSS JOIN `;

/** Whether the index leads to the few recipients of each bucket that fit. */
export function isSoughtByIndex({ domain, subdomains, recipient }: MessageFilter): boolean {
  return domain !== undefined && subdomains !== true ||
    recipient !== undefined && parseMailbox(recipient).kind === "ok";
}

/** Looks at recipients, whose index knows all but the text. */
function recipientSource(filter: MessageFilter, message?: Condition): Source {
  const own = allOf([recipientCondition(filter), commonCondition(filter, "r")]);
  const isSought = isSoughtByIndex(filter);
  const bucket = `r.key >> ${KEY_BUCKET_BITS}`;
  const range = isSought ? `${bucket} = bucket.n` : `${bucket} >= ?1 AND ${bucket} <= ?2`;
  const join = message === undefined ? "" : `CROSS JOIN facts f ON f.seq = ${MESSAGE_OF_RECIPIENT}`;
  return {
    found: MESSAGE_OF_RECIPIENT,
    mayRepeat: true,
    sql: `${isSought ? EACH_BUCKET : ""} recipients r INDEXED BY recipients_by_facts ${join}
          WHERE ${range} ${and(own)} ${message === undefined ? "" : and(message)}`,
    values: [...own.values, ...message?.values ?? []],
  };
}

/** The recipients that fit, of messages that fit; as `r`. */
export function fittingRecipientSource(filter: MessageFilter): Source {
  if (!looksAtText(filter) && filter.ids === undefined) return recipientSource(filter);
  const condition = allOf([
    ...[idsCondition(filter), commonCondition(filter, "f"), textCondition(filter)],
    recipientCondition(filter),
  ]);
  const join = `CROSS JOIN recipients r
    ON r.key >= f.seq << ${POSITION_BITS} AND r.key < (f.seq + 1) << ${POSITION_BITS}`;
  return { ...messageSource(condition, join), found: MESSAGE_OF_RECIPIENT, mayRepeat: true };
}

/** How many buckets are looked at to see on which side less fits. */
const SAMPLES = 16;

/** Of messages and recipients the side on which less fits leads, the other one is looked up. */
function cheaperSource(database: Database, filter: MessageFilter): Source {
  const text = textCondition(filter);
  const messages = messageSource(allOf([commonCondition(filter, "f"), text]));
  const recipients = recipientSource(filter);
  const buckets = sampleBuckets(database);
  const countIn = ({ sql, values }: Source): number => {
    const count = database.prepare<[number]>(`SELECT count(*) FROM ${sql}`);
    return buckets.reduce((sum, at) => sum + (count.first(at, at, ...values)?.[0] ?? 0), 0);
  };
  if (countIn(recipients) < countIn(messages)) return recipientSource(filter, text);
  return messageSource(allOf([commonCondition(filter, "f"), text, existsCondition(filter)]));
}

function sampleBuckets(database: Database): number[] {
  const { newest, oldest } = bucketRange(database);
  const step = Math.max(1, (newest - oldest) / SAMPLES);
  const buckets: number[] = [];
  for (let at = newest; at >= oldest; at -= step) buckets.push(Math.floor(at));
  return buckets;
}

/** The numbers of the first and the last message; an empty range when there is none. */
export function sequenceRange(database: Database): { newest: number; oldest: number } {
  const least = database.prepare<[number | null]>("SELECT min(seq) FROM facts").first()?.[0];
  const most = database.prepare<[number | null]>("SELECT max(seq) FROM facts").first()?.[0];
  return { newest: most ?? -1, oldest: least ?? 0 };
}

/** The buckets that hold messages; an empty range when none does. */
export function bucketRange(database: Database): { newest: number; oldest: number } {
  const { newest, oldest } = sequenceRange(database);
  return { newest: bucketOf(newest), oldest: bucketOf(oldest) };
}

/** A share of some buckets. */
export function partOf(
  { newest, oldest }: { newest: number; oldest: number },
  { part, parts }: Part,
): { newest: number; oldest: number } {
  const size = newest - oldest + 1;
  const start = (share: number): number => oldest + Math.floor(size * share / parts);
  return { oldest: start(part), newest: start(part + 1) - 1 };
}

/** The bucket of a message. */
export function bucketOf(sequence: number): number {
  return Math.floor(sequence / BUCKET_SIZE);
}

/** The position of a recipient in its message. */
export const POSITION_OF_RECIPIENT = `(r.key & ${2 ** POSITION_BITS - 1})`;
