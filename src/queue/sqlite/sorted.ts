import type { SQLInputValue } from "node:sqlite";
import type { ListOrder, MessageFilter } from "../store.ts";
import {
  allOf,
  type Condition,
  idsCondition,
  looksAtRecipients,
  recipientCondition,
  wholeCondition,
} from "./conditions.ts";
import type { Database } from "./database.ts";
import { keyOf, messageOf } from "./key.ts";
import type { Part, Place } from "./protocol.ts";
import { BUCKET_SIZE, bucketRange, fittingRecipientSource, partOf } from "./sources.ts";

/** Orders by something other than arrival. */
export type ValueOrder = Exclude<ListOrder, "newest" | "oldest">;

/** A page in such an order. */
export interface SortedPage {
  readonly sequences: readonly number[];
  /** Where each of them stands. */
  readonly places: readonly Place[];
  readonly isMore: boolean;
}

interface Search extends Part {
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
  if (order === "largest" && !looksAtRecipients(filter)) return findLargest(database, search);
  if (order !== "next") {
    const column = order === "largest" ? "r.size" : "r.attempts";
    const query = { ...queryOf(database, { ...search, column }), isUpward: false };
    return findByRecipients(database, { ...search, queries: [query] });
  }
  const narrowed = { ...search, filter: queuedOnly(filter) };
  const queries = isInOrder(filter, order)
    ? queriesInOrder(narrowed.filter)
    : [{ ...queryOf(database, { ...narrowed, column: NEXT }), isUpward: true }];
  return findByRecipients(database, { ...narrowed, queries });
}

/** Whether an index has the order, so that little is looked at. */
export function isInOrder(
  { states, domain: _, subdomains = false, ...rest }: MessageFilter,
  order: ValueOrder,
): boolean {
  const isWanted = states === undefined || states.includes("queued");
  return order === "next" && isWanted && !subdomains && Object.keys(rest).length === 0;
}

function findLargest(database: Database, { filter, limit, after, ...which }: Search): SortedPage {
  const { newest, oldest } = partOf(bucketRange(database), which);
  const where = allOf([
    { sql: "f.seq >= ? AND f.seq < ?", values: [oldest * BUCKET_SIZE, (newest + 1) * BUCKET_SIZE] },
    idsCondition(filter),
    wholeCondition(filter),
    ...(after === null
      ? []
      : [{ sql: "(f.size, f.seq) < (?, ?)", values: [after.value, after.key] }]),
  ]);
  const rows = database.prepare<[size: number, sequence: number]>(
    `SELECT f.size, f.seq FROM facts f WHERE ${where.sql}
     ORDER BY f.size DESC, f.seq DESC LIMIT ?`,
  ).all(...where.values, limit + 1);
  const page = rows.slice(0, limit);
  return {
    sequences: page.map(([, sequence]) => sequence),
    places: page.map(([value, key]) => ({ value, key })),
    isMore: rows.length > limit,
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

const NEXT = "r.next_attempt_at";

function queryOf(
  database: Database,
  { filter, column, part, parts }: Pick<Search, "filter" | keyof Part> & { column: string },
): Omit<RecipientQuery, "isUpward"> {
  const { newest, oldest } = partOf(bucketRange(database), { part, parts });
  const { sql, values } = fittingRecipientSource(filter);
  return { column, sql, values: [oldest, newest, ...values], own: recipientCondition(filter) };
}

/** What waits is in order already, and what is under way is little. */
function queriesInOrder(filter: MessageFilter): readonly RecipientQuery[] {
  const own = recipientCondition(filter);
  const from = (index: string, owner: string): RecipientQuery => ({
    ...{ column: NEXT, own, isUpward: true, values: own.values },
    sql: `recipients r INDEXED BY ${index} WHERE r.state = 0 AND r.owner ${owner} AND ${own.sql}`,
  });
  const due = filter.domain === undefined ? "recipients_due" : "recipients_due_by_domain";
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
  { limit, after, queries }: Pick<Search, "limit" | "after"> & {
    readonly queries: readonly RecipientQuery[];
  },
): SortedPage {
  const [query] = queries;
  const places: Place[] = [];
  const page = (isMore: boolean): SortedPage => ({
    ...{ places, isMore },
    sequences: places.map(({ key }) => messageOf(key)),
  });
  if (query === undefined) return page(false);
  let place = after;
  for (;;) {
    const rows = queries.flatMap((one) => rowsAfter(database, one, { place, limit: limit + 1 }))
      .sort(comparing(query.isUpward)).slice(0, limit + 1);
    for (const [value, key] of rows) {
      if (places.length === limit) return page(true);
      place = { value, key };
      if (isFirst(database, query, place)) places.push(place);
    }
    if (rows.length <= limit) return page(false);
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
