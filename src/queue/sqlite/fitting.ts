import type { MessageFilter } from "../store.ts";
import { recipientCondition } from "./conditions.ts";
import type { Database } from "./database.ts";
import { keyOf, positionOf } from "./key.ts";

/** The recipients of a message that a filter means, by index. */
export function fittingRecipients(
  database: Database,
  { sequence, filter }: { sequence: number; filter: MessageFilter },
): number[] {
  const { sql, values } = recipientCondition(filter);
  return database.prepare<[number]>(
    `SELECT r.key FROM recipients r WHERE r.key >= ? AND r.key < ? ${sql && `AND ${sql}`}
     ORDER BY r.key`,
  ).all(keyOf(sequence, 0), keyOf(sequence + 1, 0), ...values).map(([key]) => positionOf(key));
}
