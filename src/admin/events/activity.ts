import type { Clock } from "../../base/clock.ts";
import type { EventSink, RelayEvent } from "../../observe/events.ts";
import type { ActivityMinute, ActivityPort } from "../ports.ts";

const MINUTE_MS = 60_000;
const MINUTES_KEPT = 24 * 60;

type Counts = { -readonly [Key in keyof ActivityMinute]: ActivityMinute[Key] };

/** Counts events by the minute, for a day. */
export class Activity implements ActivityPort {
  readonly #clock: Clock;
  /** A minute stands at its number modulo the length. */
  readonly #ring: (Counts | undefined)[] = new Array(MINUTES_KEPT).fill(undefined);

  constructor({ clock }: { clock: Clock }) {
    this.#clock = clock;
  }

  /** Counts an event. */
  readonly sink: EventSink = (event: RelayEvent): void => {
    switch (event.type) {
      case "accepted": {
        const counts = this.#now();
        counts.accepted++;
        counts.acceptedBytes += event.sizeBytes;
        break;
      }
      case "refused":
      case "delivered":
      case "deferred":
        this.#now()[event.type]++;
        break;
      case "bounced":
      case "expired":
      case "suppressed":
        this.#now().bounced++;
        break;
      case "uncertain":
        this.#now().deferred++;
    }
  };

  read({ minutes }: { minutes: number }): ActivityMinute[] {
    const last = Math.floor(this.#clock.now() / MINUTE_MS);
    const count = Math.min(minutes, MINUTES_KEPT);
    return Array.from({ length: count }, (_, index) => {
      const startMs = (last - count + 1 + index) * MINUTE_MS;
      const counts = this.#ring[(startMs / MINUTE_MS) % MINUTES_KEPT];
      return counts?.startMs === startMs ? { ...counts } : emptyMinute(startMs);
    });
  }

  #now(): Counts {
    const minute = Math.floor(this.#clock.now() / MINUTE_MS);
    const place = minute % MINUTES_KEPT;
    let counts = this.#ring[place];
    if (counts?.startMs !== minute * MINUTE_MS) {
      counts = emptyMinute(minute * MINUTE_MS);
      this.#ring[place] = counts;
    }
    return counts;
  }
}

function emptyMinute(startMs: number): Counts {
  return {
    startMs,
    accepted: 0,
    acceptedBytes: 0,
    refused: 0,
    delivered: 0,
    deferred: 0,
    bounced: 0,
  };
}
