/** What happened and what happens. */
import type { RelayEvent } from "../../observe/events.ts";

/** An event with its place in the stream. */
export interface StampedEvent {
  /** Counts up by one; begins anew, elsewhere, when the relay starts. */
  readonly id: number;
  readonly atMs: number;
  readonly event: RelayEvent;
}

/** Some events in their order. */
export interface EventBatch {
  /** How many events before these are lost: no longer kept when the reader came for them. */
  readonly missed: number;
  readonly events: readonly StampedEvent[];
}

/** Events as they happen. The last ones are kept, so that a reader can resume. */
export interface EventsPort {
  /** The id of the newest event; resuming after it gives only what happens from now on. */
  readonly lastId: number;
  /**
   * Events after `afterId`, then those that happen, until `signal` aborts. Nothing is kept for a
   * slow reader; it learns how many it missed.
   */
  subscribe(request: {
    readonly afterId: number;
    readonly signal: AbortSignal;
  }): AsyncIterable<EventBatch>;
  /** Kept events, newest first. */
  recent(request: { readonly limit: number; readonly beforeId?: number }): readonly StampedEvent[];
}

/** What happened in one minute. */
export interface ActivityMinute {
  readonly startMs: number;
  readonly accepted: number;
  readonly acceptedBytes: number;
  readonly refused: number;
  readonly delivered: number;
  readonly deferred: number;
  readonly bounced: number;
}

/** Counts by the minute for charts, kept for a day. */
export interface ActivityPort {
  /** The last `minutes`, oldest first, the one under way last; quiet minutes are zeros. */
  read(request: { readonly minutes: number }): readonly ActivityMinute[];
}
