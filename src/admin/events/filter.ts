import { describe } from "../../observe/describe.ts";
import { EVENT_LEVELS, type EventLevel, levelOf } from "../../observe/event_level.ts";
import type { StampedEvent } from "../ports.ts";

/** Which events are meant; keys that are present must all fit. */
export interface EventFilter {
  /** The least level. */
  readonly level: EventLevel;
  readonly types?: readonly string[];
  readonly messageId?: string;
  /** A part of the event's line, in lower case. */
  readonly text?: string;
}

/** Whether an event is meant; the line is made last, since it costs most. */
export function fitsEvent({ event }: StampedEvent, filter: EventFilter): boolean {
  return EVENT_LEVELS.indexOf(levelOf(event)) >= EVENT_LEVELS.indexOf(filter.level) &&
    (filter.types?.includes(event.type) ?? true) &&
    (filter.messageId === undefined ||
      "messageId" in event && event.messageId === filter.messageId) &&
    (filter.text === undefined || describe(event).toLowerCase().includes(filter.text));
}
