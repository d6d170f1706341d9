import type { LogRecord } from "@logtape/logtape";
import type { EventLevel } from "./event_level.ts";
import type { RelayEvent } from "./events.ts";

/** The LogTape category of the relay's own records. */
export const LOG_CATEGORY: readonly string[] = ["posthouse"];

/** An event as LogTape knows records: its type is the message, its fields are the properties. */
export class EventRecord implements LogRecord {
  readonly category = LOG_CATEGORY;
  readonly level: EventLevel;
  readonly message: readonly [string];
  readonly rawMessage: string;
  readonly timestamp: number;
  readonly properties: Record<string, unknown>;
  readonly event: RelayEvent;

  constructor(event: RelayEvent, { level, timeMs }: { level: EventLevel; timeMs: number }) {
    this.level = level;
    this.message = [event.type];
    this.rawMessage = event.type;
    this.timestamp = timeMs;
    this.properties = event as Record<string, unknown>;
    this.event = event;
  }
}
