import type { MessageFilter } from "../store.ts";
import { and, commonCondition, isPlain, wholeCondition } from "./conditions.ts";
import { fittingMasks } from "./counting.ts";
import type { Database } from "./database.ts";
import { BUCKET_SIZE, bucketOf, sequenceRange, sourceOf } from "./sources.ts";

/** How many buckets one query covers: few at first, since most searches find enough soon. */
const FIRST_SPAN = 8;
const LARGEST_SPAN = 128;
/** So many messages of rare states are rather taken from the index as a whole. */
const RARE = 5_000;

/** Where a search goes on. */
export interface SearchRange {
  /** The last message that was found; null for the first search. */
  readonly after: number | null;
  readonly limit: number;
  /** Whether it goes from the oldest to the newest. */
  readonly isUpward?: boolean;
  /** How long it may look. */
  readonly withinMs: number;
}

/** Messages by their numbers in the store, in the order of the search. */
export interface Found {
  readonly sequences: readonly number[];
  /** Where to go on; null when there is nothing more. */
  readonly after: number | null;
}

/** The messages that fit, in order of arrival or against it. */
export function findMessages(
  database: Database,
  { filter, range }: { filter: MessageFilter; range: SearchRange },
): Found {
  // One more than asked for tells whether there are others.
  const wanted = { ...range, limit: range.limit + 1 };
  const whole = filter.ids !== undefined
    ? findByIds(database, { filter, range: wanted })
    : findRare(database, { filter, range: wanted });
  if (whole === null) return findInBuckets(database, { filter, range });
  const isMore = whole.length > range.limit;
  const sequences = isMore ? whole.slice(0, range.limit) : whole;
  return { sequences, after: isMore ? sequences.at(-1) ?? null : null };
}

interface Search {
  readonly filter: MessageFilter;
  readonly range: SearchRange;
}

/** What a range says of `column`, and the order in it. */
function rangeOf({ after, isUpward = false }: SearchRange, column: string) {
  return isUpward
    ? { beyond: after ?? -1, test: `${column} > ?`, order: "ASC" }
    : { beyond: after ?? Number.MAX_SAFE_INTEGER, test: `${column} < ?`, order: "DESC" };
}

function findByIds(database: Database, { filter, range }: Search): number[] {
  const whole = wholeCondition(filter);
  const { beyond, test, order } = rangeOf(range, "m.seq");
  return database.prepare<[number]>(
    `SELECT m.seq FROM messages m CROSS JOIN facts f ON f.seq = m.seq
     WHERE m.id IN (SELECT value FROM json_each(?)) AND ${test} ${and(whole)}
     ORDER BY m.seq ${order} LIMIT ?`,
  ).all(JSON.stringify(filter.ids), beyond, ...whole.values, range.limit)
    .map(([sequence]) => sequence);
}

/** Messages in states that few are in; null when there are many, or more is asked for. */
function findRare(database: Database, { filter, range }: Search): number[] | null {
  if (!isPlain(filter)) return null;
  const masks = fittingMasks(database, filter);
  if (masks.reduce((sum, [, count]) => sum + count, 0) > RARE) return null;
  const common = commonCondition(filter, "m");
  const { beyond, test } = rangeOf(range, "m.seq");
  const select = database.prepare<[number]>(
    `SELECT m.seq FROM messages m INDEXED BY messages_by_mask
     WHERE m.mask = ? AND ${test} ${and(common)}`,
  );
  return masks.flatMap(([mask]) => select.all(mask, beyond, ...common.values))
    .map(([sequence]) => sequence)
    .sort((a, b) => range.isUpward === true ? a - b : b - a)
    .slice(0, range.limit);
}

function findInBuckets(database: Database, { filter, range }: Search): Found {
  const { limit, withinMs, isUpward = false } = range;
  const { newest, oldest } = sequenceRange(database);
  if (newest < oldest) return { sequences: [], after: null };
  const endMs = performance.now() + withinMs;
  const source = sourceOf(database, filter);
  const { beyond, test, order } = rangeOf(range, source.found);
  const select = database.prepare<[number]>(
    `SELECT DISTINCT ${source.found} FROM ${source.sql} AND ${test} ORDER BY 1 ${order} LIMIT ?`,
  );
  const step = isUpward ? 1 : -1;
  const start = isUpward ? Math.max(oldest, beyond + 1) : Math.min(newest, beyond - 1);
  const [end, sequences]: [number, number[]] = [bucketOf(isUpward ? newest : oldest), []];
  let size = FIRST_SPAN;
  for (let first = bucketOf(start); (end - first) * step >= 0; first += size * step) {
    if (performance.now() > endMs) return { sequences, after: edgeOf(first, isUpward) };
    size = Math.min(size * 2, LARGEST_SPAN);
    const last = isUpward ? Math.min(end, first + size - 1) : Math.max(end, first - size + 1);
    const rest = limit - sequences.length;
    // One more than asked for tells whether there are others.
    const span = isUpward ? [first, last] : [last, first];
    const rows = select.all(...span, ...source.values, beyond, rest + 1);
    sequences.push(...rows.slice(0, rest).map(([sequence]) => sequence));
    if (rows.length > rest) return { sequences, after: sequences.at(-1) ?? null };
  }
  return { sequences, after: null };
}

/** The message next to a bucket, on the side where the search came from. */
function edgeOf(bucket: number, isUpward: boolean): number {
  const first = bucket * BUCKET_SIZE;
  return isUpward ? first - 1 : first + BUCKET_SIZE;
}
