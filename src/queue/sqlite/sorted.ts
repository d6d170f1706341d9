import type { SQLInputValue } from "node:sqlite";
import type { ListOrder, MessageFilter } from "../store.ts";
import {
  allOf,
  type Condition,
  looksAtRecipients,
  recipientCondition,
  wholeCondition,
} from "./conditions.ts";
import type { Database } from "./database.ts";
import { keyOf, messageOf } from "./key.ts";
import { bucketRange, fittingRecipientSource } from "./sources.ts";

/** Orders by something other than arrival. */
export type ValueOrder = Exclude<ListOrder, "newest" | "oldest">;

/** A place in such an order: the value, and the message or the recipient that has it. */
export interface Place {
  readonly value: number;
  readonly key: number;
}

/** A page in such an order. */
export interface SortedPage {
  readonly sequences: readonly number[];
  /** Null when there is nothing more. */
  readonly after: Place | null;
}

interface Search {
  readonly filter: MessageFilter;
  readonly limit: number;
  /** The end of the page before; null for the first page. */
  readonly after: Place | null;
}

/** The messages that fit, in order of a value. Where no index has that order, all are looked at. */
export function findSorted(
  database: Database,
  { order, ...search }: Search & { readonly order: ValueOrder },
): SortedPage {
  const { filter } = search;
  if (order === "next") {
    const queries = queriesByNext(database, queuedOnly(filter));
    return findByRecipients(database, { ...search, queries });
  }
  if (order === "largest" && !looksAtRecipients(filter)) return findLargest(database, search);
  const column = order === "largest" ? "r.size" : "r.attempts";
  const queries = [{ ...queryOf(database, { filter, column }), isUpward: false }];
  return findByRecipients(database, { ...search, queries });
}

function findLargest(database: Database, { filter, limit, after }: Search): SortedPage {
  const where = allOf([
    wholeCondition(filter),
    ...(after === null
      ? []
      : [{ sql: "(f.size, f.seq) < (?, ?)", values: [after.value, after.key] }]),
  ]);
  const rows = database.prepare<[size: number, sequence: number]>(
    `SELECT f.size, f.seq FROM facts f ${where.sql === "" ? "" : `WHERE ${where.sql}`}
     ORDER BY f.size DESC, f.seq DESC LIMIT ?`,
  ).all(...where.values, limit + 1);
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return {
    sequences: page.map(([, sequence]) => sequence),
    after: rows.length > limit && last !== undefined ? { value: last[0], key: last[1] } : null,
  };
}

/** Recipients in order of a column; each place is in one query only. */
interface RecipientQuery {
  readonly column: string;
  readonly isUpward: boolean;
  /** FROM and WHERE; conditions may follow. */
  readonly sql: string;
  readonly values: readonly SQLInputValue[];
  /** What is asked of the recipients alone. */
  readonly own: Condition;
}

function queryOf(
  database: Database,
  { filter, column }: { filter: MessageFilter; column: string },
): Omit<RecipientQuery, "isUpward"> {
  const { newest, oldest } = bucketRange(database);
  const { sql, values } = fittingRecipientSource(filter);
  return { column, sql, values: [oldest, newest, ...values], own: recipientCondition(filter) };
}

/** Where little is asked for, what waits is in order already, and what is under way is little. */
function queriesByNext(database: Database, filter: MessageFilter): readonly RecipientQuery[] {
  const column = "r.next_attempt_at";
  const { states, domain, subdomains = false, ...rest } = filter;
  if (states?.length === 0 || subdomains || Object.keys(rest).length > 0) {
    return [{ ...queryOf(database, { filter, column }), isUpward: true }];
  }
  const own = recipientCondition(filter);
  const from = (index: string, owner: string): RecipientQuery => ({
    ...{ column, own, isUpward: true, values: own.values },
    sql: `recipients r INDEXED BY ${index} WHERE r.state = 0 AND r.owner ${owner} AND ${own.sql}`,
  });
  const due = domain === undefined ? "recipients_due" : "recipients_due_by_domain";
  return [from(due, "IS NULL"), from("recipients_leased", "IS NOT NULL")];
}

function queuedOnly(filter: MessageFilter): MessageFilter {
  const isWanted = filter.states === undefined || filter.states.includes("queued");
  return { ...filter, states: isWanted ? ["queued"] : [] };
}

type PlaceRow = [value: number, key: number];

/**
 * By what recipients have. A message stands where the first of its recipients does that fits;
 * the others are passed over.
 */
function findByRecipients(
  database: Database,
  { limit, after, queries }: Search & { readonly queries: readonly RecipientQuery[] },
): SortedPage {
  const [query] = queries;
  if (query === undefined) return { sequences: [], after: null };
  const sequences: number[] = [];
  let place = after;
  for (;;) {
    const rows = queries.flatMap((one) => rowsAfter(database, one, { place, limit: limit + 1 }))
      .sort(comparing(query.isUpward)).slice(0, limit + 1);
    for (const [value, key] of rows) {
      if (sequences.length === limit) return { sequences, after: place };
      place = { value, key };
      if (isFirst(database, query, place)) sequences.push(messageOf(key));
    }
    if (rows.length <= limit) return { sequences, after: null };
  }
}

function comparing(isUpward: boolean): (a: PlaceRow, b: PlaceRow) => number {
  const sign = isUpward ? 1 : -1;
  return ([a, one], [b, other]) => sign * (a - b || one - other);
}

function rowsAfter(
  database: Database,
  { column, isUpward, sql, values }: RecipientQuery,
  { place, limit }: { place: Place | null; limit: number },
): PlaceRow[] {
  const [comes, order] = isUpward ? [">", "ASC"] : ["<", "DESC"];
  // The first half is what an index can begin with.
  const beyond = `AND ${column} ${comes}= ? AND (${column}, r.key) ${comes} (?, ?)`;
  const start = place === null ? [] : [place.value, place.value, place.key];
  return database.prepare<PlaceRow>(
    `SELECT ${column}, r.key FROM ${sql} ${place === null ? "" : beyond}
     ORDER BY ${column} ${order}, r.key ${order} LIMIT ?`,
  ).all(...values, ...start, limit);
}

/** Whether no other recipient of its message that fits comes before this one. */
function isFirst(
  database: Database,
  { column, isUpward, own }: RecipientQuery,
  { value, key }: Place,
): boolean {
  const message = messageOf(key);
  const earlier = database.prepare<[number]>(
    `SELECT 1 FROM recipients r WHERE r.key >= ? AND r.key < ? ${own.sql && `AND ${own.sql}`}
     AND (${column}, r.key) ${isUpward ? "<" : ">"} (?, ?) LIMIT 1`,
  );
  const range = [keyOf(message, 0), keyOf(message + 1, 0)] as const;
  return earlier.first(...range, ...own.values, value, key) === undefined;
}
