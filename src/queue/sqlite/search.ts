import type { SQLInputValue } from "node:sqlite";
import type { MessageFilter } from "../store.ts";
import { maskOf, readMasks, STATE_CODE } from "./counters.ts";
import type { Database } from "./database.ts";
import { BUCKET_BITS } from "./schema.ts";

const BUCKET_SIZE = 2 ** BUCKET_BITS;

/** Where a search goes on: among the messages below `below`. */
export interface SearchRange {
  /** Null for the newest. */
  readonly below: number | null;
  readonly limit: number;
}

/** A part of a WHERE clause with its values. */
interface Condition {
  readonly sql: string;
  readonly values: readonly SQLInputValue[];
}

/** The messages that fit, newest first, by their numbers in the store. */
export function findMessages(
  database: Database,
  { filter, range }: { filter: MessageFilter; range: SearchRange },
): number[] {
  if (filter.ids !== undefined) return findByIds(database, { filter, range });
  if (hasMailbox(filter)) return findByBucket(database, { filter, range });
  return findByMask(database, { filter, range });
}

/** How many messages fit. */
export function countMessages(database: Database, filter: MessageFilter): number {
  if (filter.ids !== undefined) {
    return findByIds(database, { filter, range: { below: null, limit: -1 } }).length;
  }
  if (!hasMailbox(filter)) return countByMask(database, filter);
  const query = bucketQuery(filter);
  const count = database.prepare<[number]>(`SELECT count(*) FROM (${query.sql})`);
  let total = 0;
  for (const bucket of buckets(database, null)) {
    total += count.first(bucket, ...query.values)?.[0] ?? 0;
  }
  return total;
}

/** Whether the recipients that a filter means are not all those of the message. */
export function recipientCondition(
  { states, domain, recipient }: MessageFilter,
): Condition {
  return joined([
    ...(domain === undefined ? [] : [{ sql: "r.domain = ?", values: [domain] }]),
    ...(recipient === undefined
      ? []
      : [{ sql: "lower(r.forward_path) = lower(?)", values: [recipient] }]),
    ...(states === undefined
      ? []
      : [{ sql: `r.state IN (${states.map((state) => STATE_CODE[state]).join()})`, values: [] }]),
  ]);
}

function hasMailbox({ sender, domain, recipient }: MessageFilter): boolean {
  return sender !== undefined || domain !== undefined || recipient !== undefined;
}

function timeCondition({ receivedBeforeMs, receivedAfterMs }: MessageFilter): Condition {
  return joined([
    ...(receivedBeforeMs === undefined
      ? []
      : [{ sql: "m.received_at < ?", values: [receivedBeforeMs] }]),
    ...(receivedAfterMs === undefined
      ? []
      : [{ sql: "m.received_at > ?", values: [receivedAfterMs] }]),
  ]);
}

function messageCondition(filter: MessageFilter): Condition {
  const { sender, states } = filter;
  return joined([
    timeCondition(filter),
    ...(sender === undefined
      ? []
      : [{ sql: "lower(m.reverse_path) = lower(?)", values: [sender] }]),
    ...(states === undefined ? [] : [{ sql: `m.mask & ${maskOf(states)} <> 0`, values: [] }]),
  ]);
}

function allConditions(filter: MessageFilter): Condition {
  const message = messageCondition(filter);
  if (filter.domain === undefined && filter.recipient === undefined) return message;
  const { sql, values } = recipientCondition(filter);
  const exists = `EXISTS (SELECT 1 FROM recipients r WHERE r.message = m.seq AND ${sql})`;
  return joined([message, { sql: exists, values }]);
}

function findByIds(
  database: Database,
  { filter, range: { below, limit } }: { filter: MessageFilter; range: SearchRange },
): number[] {
  const { sql, values } = allConditions(filter);
  return database.prepare<[number]>(
    `SELECT m.seq FROM messages m
     WHERE m.id IN (SELECT value FROM json_each(?)) AND m.seq < ? AND ${sql}
     ORDER BY m.seq DESC LIMIT ?`,
  ).all(JSON.stringify(filter.ids), below ?? Number.MAX_SAFE_INTEGER, ...values, limit)
    .map(([sequence]) => sequence);
}

/**
 * One bucket's messages; the first value is the bucket. Of the indexes that would do, the one
 * with the fewest entries for a key is best: mailboxes repeat less than senders, senders less
 * than domains.
 */
function bucketQuery(filter: MessageFilter): Condition {
  if (filter.recipient !== undefined) return bucketByRecipient(filter, "recipients_by_mailbox");
  if (filter.sender !== undefined) return bucketBySender(filter);
  return bucketByRecipient(filter, "recipients_by_domain");
}

function bucketBySender(filter: MessageFilter): Condition {
  const { sql, values } = allConditions(filter);
  return {
    sql: `SELECT m.seq AS found FROM messages m INDEXED BY messages_by_sender
          WHERE m.seq >> ${BUCKET_BITS} = ? AND ${sql}`,
    values,
  };
}

function bucketByRecipient(filter: MessageFilter, index: string): Condition {
  const { sql, values } = recipientCondition(filter);
  const { states: _, ...withoutStates } = filter;
  const message = messageCondition(withoutStates);
  const needsMessage = message.sql !== "1";
  return {
    sql: `SELECT DISTINCT r.message AS found FROM recipients r INDEXED BY ${index}
          ${needsMessage ? "JOIN messages m ON m.seq = r.message" : ""}
          WHERE r.message >> ${BUCKET_BITS} = ? AND ${sql} AND ${message.sql}`,
    values: [...values, ...message.values],
  };
}

function findByBucket(
  database: Database,
  { filter, range: { below, limit } }: { filter: MessageFilter; range: SearchRange },
): number[] {
  const query = bucketQuery(filter);
  const select = database.prepare<[number]>(
    `SELECT found FROM (${query.sql}) WHERE found < ? ORDER BY found DESC LIMIT ?`,
  );
  const found: number[] = [];
  for (const bucket of buckets(database, below)) {
    const rows = select
      .all(bucket, ...query.values, below ?? Number.MAX_SAFE_INTEGER, limit - found.length);
    for (const [sequence] of rows) found.push(sequence);
    if (found.length >= limit) break;
  }
  return found;
}

/** The buckets that hold messages, newest first. */
function* buckets(database: Database, below: number | null): Generator<number> {
  const least = database.prepare<[number | null]>("SELECT min(seq) FROM messages").first()?.[0];
  const most = database.prepare<[number | null]>("SELECT max(seq) FROM messages").first()?.[0];
  if (typeof least !== "number" || typeof most !== "number") return;
  const newest = below === null ? most : Math.min(most, below - 1);
  const last = Math.floor(least / BUCKET_SIZE);
  for (let bucket = Math.floor(newest / BUCKET_SIZE); bucket >= last; bucket--) yield bucket;
}

function fittingMasks(database: Database, { states }: MessageFilter): [number, number][] {
  const wanted = states === undefined ? -1 : maskOf(states);
  return [...readMasks(database)].filter(([mask]) => wanted === -1 || (mask & wanted) !== 0);
}

function findByMask(
  database: Database,
  { filter, range: { below, limit } }: { filter: MessageFilter; range: SearchRange },
): number[] {
  const { sql, values } = timeCondition(filter);
  const select = database.prepare<[number]>(
    `SELECT m.seq FROM messages m INDEXED BY messages_by_mask
     WHERE m.mask = ? AND m.seq < ? AND ${sql} ORDER BY m.seq DESC LIMIT ?`,
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
  if (values.length === 0) return masks.reduce((total, [, count]) => total + count, 0);
  const count = database.prepare<[number]>(
    `SELECT count(*) FROM messages m INDEXED BY messages_by_mask WHERE m.mask = ? AND ${sql}`,
  );
  return masks.reduce((total, [mask]) => total + (count.first(mask, ...values)?.[0] ?? 0), 0);
}

/** All of the conditions; one that always holds when there is none. */
function joined(conditions: readonly Condition[]): Condition {
  const real = conditions.filter(({ sql }) => sql !== "1");
  if (real.length === 0) return { sql: "1", values: [] };
  return {
    sql: real.map(({ sql }) => sql).join(" AND "),
    values: real.flatMap(({ values }) => values),
  };
}
