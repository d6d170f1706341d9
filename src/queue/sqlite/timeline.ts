import type { TimelineEntry } from "../store.ts";
import type { Database } from "./database.ts";
import { keyOf, POSITIONS } from "./key.ts";

/** Appends a step, given as JSON, to the timeline of a message. */
export type TimelineWriter = (message: number, entry: string) => void;

/** Makes the writer of timelines. */
export function timelineWriter(database: Database): TimelineWriter {
  const insert = database.prepare(
    `INSERT OR IGNORE INTO timeline VALUES
       (min(coalesce((SELECT max(key) FROM timeline WHERE key >= ?1 AND key <= ?2) + 1, ?1), ?2), ?3)`,
  );
  // A timeline that has no room for another step stays as it is.
  return (message, entry) =>
    void insert.run(keyOf(message, 0), keyOf(message, POSITIONS - 1), entry);
}

/** Makes the function that tells whether a timeline has a step, given as JSON. */
export function stepFinder(database: Database): (message: number, entry: string) => boolean {
  const select = database.prepare<[number]>(
    "SELECT 1 FROM timeline WHERE key >= ? AND key < ? AND entry = ? LIMIT 1",
  );
  return (message, entry) =>
    select.first(keyOf(message, 0), keyOf(message + 1, 0), entry) !== undefined;
}

/** An entry as it is stored. */
export function encodeEntry(entry: TimelineEntry): string {
  return JSON.stringify(entry);
}

/** An entry as it was; null when it is damaged. */
export function decodeEntry(text: string): TimelineEntry | null {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
