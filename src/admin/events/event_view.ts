import { describe, describeCause } from "../../observe/describe.ts";
import { type EventLevel, levelOf } from "../../observe/event_level.ts";
import type { StampedEvent } from "../ports.ts";

/** An event as the API and the dashboard show it. */
export interface EventView {
  readonly id: number;
  readonly atMs: number;
  readonly level: EventLevel;
  /** The event in one line of plain English; what came from elsewhere is escaped for a line. */
  readonly text: string;
  /** The event's own fields, its `type` among them; JSON values only. */
  readonly event: Readonly<Record<string, unknown>>;
}

/** Prepares an event for showing. Causes become a few words: stacks stay in the log. */
export function eventView({ id, atMs, event }: StampedEvent): EventView {
  const fields = event.type === "trouble" && event.cause !== undefined
    ? { ...event, cause: describeCause(event.cause) }
    : { ...event };
  return { id, atMs, level: levelOf(event), text: describe(event), event: fields };
}
