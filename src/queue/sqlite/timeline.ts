import type { TimelineEntry } from "../store.ts";
import type { Database } from "./database.ts";

/** Appends a step, given as JSON, to the timeline of a message. */
export type TimelineWriter = (message: number, entry: string) => void;

/** Makes the writer of timelines. */
export function timelineWriter(database: Database): TimelineWriter {
  const insert = database.prepare(
    `INSERT INTO timeline VALUES
       (?1, coalesce((SELECT max(step) FROM timeline WHERE message = ?1), 0) + 1, ?2)`,
  );
  return (message, entry) => void insert.run(message, entry);
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
