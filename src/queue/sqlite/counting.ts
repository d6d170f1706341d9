import type { MessageFilter, PartialCount } from "../store.ts";
import { commonCondition, isPlain, looksAtText, wholeCondition } from "./conditions.ts";
import { maskOf, readMasks } from "./counters.ts";
import type { Database } from "./database.ts";
import type { CountRequest } from "./protocol.ts";
import {
  bucketRange,
  isSoughtByIndex,
  partOf,
  POSITION_OF_RECIPIENT,
  type Source,
  sourceOf,
} from "./sources.ts";

/** How many buckets are counted before the time is looked at. */
const SPAN = 128;

/** Whether a count is made faster by several that look at a part each. */
export function isDivisible(filter: MessageFilter): boolean {
  return filter.ids === undefined && !isPlain(filter) &&
    (looksAtText(filter) || !isSoughtByIndex(filter));
}

/** How many messages fit, as far as they can be counted in time; newer ones are counted first. */
export function countMessages(
  database: Database,
  { filter, withinMs, ...which }: CountRequest,
): PartialCount {
  if (filter.ids !== undefined) return complete(countIds(database, filter));
  if (isPlain(filter)) return complete(countByMask(database, filter));
  const endMs = performance.now() + withinMs;
  const { newest, oldest } = partOf(bucketRange(database), which);
  if (newest < oldest) return complete(0);
  const source = sourceOf(database, filter);
  let count = 0;
  for (let first = newest; first >= oldest; first -= SPAN) {
    if (performance.now() > endMs) return { count, isComplete: false };
    const span = { newest: first, oldest: Math.max(oldest, first - SPAN + 1) };
    count += countSpan(database, { source, ...span });
  }
  return complete(count);
}

function complete(count: number): PartialCount {
  return { count, isComplete: true };
}

function countIds(database: Database, filter: MessageFilter): number {
  const { sql, values } = wholeCondition(filter);
  return database.prepare<[number]>(
    `SELECT count(*) FROM messages m CROSS JOIN facts f ON f.seq = m.seq
     WHERE m.id IN (SELECT value FROM json_each(?)) ${sql && `AND ${sql}`}`,
  ).first(JSON.stringify(filter.ids), ...values)?.[0] ?? 0;
}

function countSpan(
  database: Database,
  { source, newest, oldest }: { source: Source; newest: number; oldest: number },
): number {
  const { sql, values, found, mayRepeat } = source;
  const position = mayRepeat ? `max${POSITION_OF_RECIPIENT}` : "0";
  const [count, highest] = database.prepare<[number, number | null]>(
    `SELECT count(*), ${position} FROM ${sql}`,
  ).first(oldest, newest, ...values) ?? [0, 0];
  // Where only first recipients fit, none stands for a message that was counted already.
  if ((highest ?? 0) === 0) return count;
  return database.prepare<[number]>(`SELECT count(DISTINCT ${found}) FROM ${sql}`)
    .first(oldest, newest, ...values)?.[0] ?? 0;
}

/** The masks of messages that fit by the states of their recipients, with how many there are. */
export function fittingMasks(
  database: Database,
  { states }: MessageFilter,
): [mask: number, count: number][] {
  const masks = [...readMasks(database)];
  if (states === undefined) return masks;
  const wanted = maskOf(states);
  return masks.filter(([mask]) => (mask & wanted) !== 0);
}

function countByMask(database: Database, filter: MessageFilter): number {
  const masks = fittingMasks(database, filter);
  const { sql, values } = commonCondition(filter, "m");
  if (sql === "") return masks.reduce((total, [, count]) => total + count, 0);
  const count = database.prepare<[number]>(
    `SELECT count(*) FROM messages m INDEXED BY messages_by_mask WHERE m.mask = ? AND ${sql}`,
  );
  return masks.reduce((total, [mask]) => total + (count.first(mask, ...values)?.[0] ?? 0), 0);
}
