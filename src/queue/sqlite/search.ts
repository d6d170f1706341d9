import type { MessageFilter } from "../store.ts";
import {
  type Condition,
  MESSAGE_OF_RECIPIENT,
  messageCondition,
  namesRecipients,
  needsScan,
  recipientCondition,
  timeCondition,
  wholeCondition,
} from "./conditions.ts";
import { maskOf, readMasks } from "./counters.ts";
import type { Database } from "./database.ts";
import { BUCKET_BITS, KEY_BUCKET_BITS } from "./schema.ts";

const BUCKET_SIZE = 2 ** BUCKET_BITS;
/** How many buckets one query covers: few at first, since most searches find enough soon. */
const FIRST_SPAN = 8;
const LARGEST_SPAN = 1_024;

/** Where a search goes on: among the messages below `below`. */
export interface SearchRange {
  /** Null for the newest. */
  readonly below: number | null;
  readonly limit: number;
}

/** Messages by their numbers in the store. */
export interface Found {
  /** Newest first. */
  readonly sequences: readonly number[];
  /** Where to go on; null when there is nothing more. */
  readonly below: number | null;
}

/** The messages that fit. */
export function findMessages(
  database: Database,
  { filter, range }: { filter: MessageFilter; range: SearchRange },
): Found {
  if (filter.ids === undefined && needsScan(filter)) return findByScan(database, { filter, range });
  const { limit } = range;
  // One more than asked for tells whether there are others.
  const sequences = findByIndex(database, { filter, range: { ...range, limit: limit + 1 } });
  const isMore = sequences.length > limit;
  const found = isMore ? sequences.slice(0, limit) : sequences;
  return { sequences: found, below: isMore ? found.at(-1) ?? null : null };
}

/** How many messages one query of a scan covers, and how many a whole scan looks at. */
const SCAN_WINDOW = 2_500;
const SCAN_LIMIT = 10_000;

/** Looks at message after message, but not at all of a long queue at once. */
function findByScan(
  database: Database,
  { filter, range }: { filter: MessageFilter; range: SearchRange },
): Found {
  const { oldest, newest } = sequenceRange(database);
  const whole = wholeCondition(filter);
  const select = database.prepare<[number]>(
    `SELECT m.seq FROM messages m
     WHERE m.seq < ? AND m.seq >= ? ${and(whole.sql)} ORDER BY m.seq DESC LIMIT ?`,
  );
  const sequences: number[] = [];
  let below = Math.min(range.below ?? Infinity, newest + 1);
  const end = Math.max(oldest, below - SCAN_LIMIT);
  while (below > end) {
    const from = Math.max(end, below - SCAN_WINDOW);
    const rest = range.limit - sequences.length;
    for (const [sequence] of select.all(below, from, ...whole.values, rest)) {
      sequences.push(sequence);
    }
    below = from;
    if (sequences.length >= range.limit) return { sequences, below: sequences.at(-1) ?? below };
  }
  return { sequences, below: below > oldest ? below : null };
}

function findByIndex(
  database: Database,
  { filter, range }: { filter: MessageFilter; range: SearchRange },
): number[] {
  if (filter.ids !== undefined) return findByIds(database, { filter, range });
  if (filter.sender !== undefined || namesRecipients(filter)) {
    return findByBucket(database, { filter, range });
  }
  return findByMask(database, { filter, range });
}

/** How many messages fit. */
export function countMessages(database: Database, filter: MessageFilter): number {
  if (filter.ids !== undefined) {
    return findByIds(database, { filter, range: { below: null, limit: -1 } }).length;
  }
  if (filter.sender !== undefined || namesRecipients(filter)) {
    return countByBucket(database, filter);
  }
  if (needsScan(filter)) {
    const { sql, values } = wholeCondition(filter);
    return database.prepare<[number]>(`SELECT count(*) FROM messages m WHERE ${sql}`)
      .first(...values)?.[0] ?? 0;
  }
  return countByMask(database, filter);
}

function findByIds(
  database: Database,
  { filter, range: { below, limit } }: { filter: MessageFilter; range: SearchRange },
): number[] {
  const { sql, values } = wholeCondition(filter);
  return database.prepare<[number]>(
    `SELECT m.seq FROM messages m
     WHERE m.id IN (SELECT value FROM json_each(?)) AND m.seq < ? ${and(sql)}
     ORDER BY m.seq DESC LIMIT ?`,
  ).all(JSON.stringify(filter.ids), below ?? Number.MAX_SAFE_INTEGER, ...values, limit)
    .map(([sequence]) => sequence);
}

/**
 * FROM and WHERE that give the messages of `bucket.n` as `found`. Of the indexes that would do,
 * the one with the fewest entries for a key is best: mailboxes repeat less than senders, senders
 * less than domains.
 */
function inBucket(filter: MessageFilter): Condition & { readonly found: string } {
  if (filter.recipient === undefined && filter.sender !== undefined) {
    const { sql, values } = wholeCondition(filter);
    return {
      found: "m.seq",
      sql: `messages m INDEXED BY messages_by_sender
            WHERE m.seq >> ${BUCKET_BITS} = bucket.n ${and(sql)}`,
      values,
    };
  }
  const recipient = recipientCondition(filter);
  const message = messageCondition(filter);
  const join = message.sql === "" ? "" : `CROSS JOIN messages m ON m.seq = ${MESSAGE_OF_RECIPIENT}`;
  return {
    found: MESSAGE_OF_RECIPIENT,
    sql: `recipients r INDEXED BY recipients_by_mailbox ${join}
          WHERE r.key >> ${KEY_BUCKET_BITS} = bucket.n ${and(recipient.sql)} ${and(message.sql)}`,
    values: [...recipient.values, ...message.values],
  };
}

/** The buckets from the first value down to the second. */
const BUCKETS = `WITH RECURSIVE bucket (n) AS
  (VALUES (?) UNION ALL SELECT n - 1 FROM bucket WHERE n > ?)`;

function findByBucket(
  database: Database,
  { filter, range: { below, limit } }: { filter: MessageFilter; range: SearchRange },
): number[] {
  const bucket = inBucket(filter);
  const select = database.prepare<[number]>(
    `${BUCKETS} SELECT DISTINCT ${bucket.found} FROM bucket CROSS JOIN ${bucket.sql}
       AND ${bucket.found} < ? ORDER BY 1 DESC LIMIT ?`,
  );
  const { newest, oldest } = bucketRange(database, below);
  const found: number[] = [];
  let span = FIRST_SPAN;
  for (let first = newest; first >= oldest && found.length < limit; first -= span) {
    span = Math.min(span * 2, LARGEST_SPAN);
    const last = Math.max(oldest, first - span + 1);
    const rest = [below ?? Number.MAX_SAFE_INTEGER, limit - found.length];
    for (const [sequence] of select.all(first, last, ...bucket.values, ...rest)) {
      found.push(sequence);
    }
  }
  return found;
}

function countByBucket(database: Database, filter: MessageFilter): number {
  const { newest, oldest } = bucketRange(database, null);
  if (newest < oldest) return 0;
  const bucket = inBucket(filter);
  // Counted bucket by bucket, so that telling messages apart needs little room.
  const count = database.prepare<[number]>(
    `${BUCKETS} SELECT sum((SELECT count(DISTINCT ${bucket.found}) FROM ${bucket.sql}))
     FROM bucket`,
  );
  return count.first(newest, oldest, ...bucket.values)?.[0] ?? 0;
}

/** The numbers of the first and the last message; an empty range when there is none. */
function sequenceRange(database: Database): { newest: number; oldest: number } {
  const least = database.prepare<[number | null]>("SELECT min(seq) FROM messages").first()?.[0];
  const most = database.prepare<[number | null]>("SELECT max(seq) FROM messages").first()?.[0];
  return { newest: most ?? -1, oldest: least ?? 0 };
}

/** The buckets that hold messages below `below`; an empty range when none does. */
function bucketRange(
  database: Database,
  below: number | null,
): { newest: number; oldest: number } {
  const { newest: most, oldest } = sequenceRange(database);
  if (most < oldest) return { newest: -1, oldest: 0 };
  const newest = below === null ? most : Math.min(most, below - 1);
  return {
    newest: Math.floor(newest / BUCKET_SIZE),
    oldest: Math.floor(oldest / BUCKET_SIZE),
  };
}

function fittingMasks(database: Database, { states }: MessageFilter): [number, number][] {
  const masks = [...readMasks(database)];
  if (states === undefined) return masks;
  const wanted = maskOf(states);
  return masks.filter(([mask]) => (mask & wanted) !== 0);
}

function findByMask(
  database: Database,
  { filter, range: { below, limit } }: { filter: MessageFilter; range: SearchRange },
): number[] {
  const { sql, values } = timeCondition(filter);
  const select = database.prepare<[number]>(
    `SELECT m.seq FROM messages m INDEXED BY messages_by_mask
     WHERE m.mask = ? AND m.seq < ? ${and(sql)} ORDER BY m.seq DESC LIMIT ?`,
  );
  return fittingMasks(database, filter)
    .flatMap(([mask]) => select.all(mask, below ?? Number.MAX_SAFE_INTEGER, ...values, limit))
    .map(([sequence]) => sequence)
    .sort((a, b) => b - a)
    .slice(0, limit);
}

function countByMask(database: Database, filter: MessageFilter): number {
  const masks = fittingMasks(database, filter);
  const { sql, values } = timeCondition(filter);
  if (sql === "") return masks.reduce((total, [, count]) => total + count, 0);
  const count = database.prepare<[number]>(
    `SELECT count(*) FROM messages m INDEXED BY messages_by_mask WHERE m.mask = ? AND ${sql}`,
  );
  return masks.reduce((total, [mask]) => total + (count.first(mask, ...values)?.[0] ?? 0), 0);
}

function and(sql: string): string {
  return sql === "" ? "" : `AND ${sql}`;
}
