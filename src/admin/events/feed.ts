import type { Clock } from "../../base/clock.ts";
import type { EventSink, RelayEvent } from "../../observe/events.ts";
import type { EventBatch, EventsPort, StampedEvent } from "../ports.ts";

/** Events that are kept for readers that resume or are slow. */
const KEPT = 10_000;
/** The most that a reader gets at once. */
const BATCH = 256;

/**
 * The stream of events. It keeps the last ones in a ring; readers hold nothing but their place in
 * it, so their number and their slowness cost no memory. A reader that falls behind by more than
 * the ring learns how many events it missed.
 */
export class EventFeed implements EventsPort {
  readonly #clock: Clock;
  readonly #ring: (StampedEvent | undefined)[];
  #lastId = 0;
  #news: PromiseWithResolvers<void> | null = null;
  #ended = false;

  constructor({ clock, kept = KEPT }: { clock: Clock; kept?: number }) {
    this.#clock = clock;
    this.#ring = new Array<StampedEvent | undefined>(kept).fill(undefined);
  }

  /** Takes an event. */
  readonly sink: EventSink = (event: RelayEvent): void => {
    const id = ++this.#lastId;
    this.#ring[id % this.#ring.length] = { id, atMs: this.#clock.now(), event };
    if (this.#news !== null) this.#wakeReaders();
  };

  get lastId(): number {
    return this.#lastId;
  }

  /** Ends all readers, once they have what happened until now. */
  end(): void {
    this.#ended = true;
    this.#wakeReaders();
  }

  async *subscribe(
    { afterId, signal }: { afterId: number; signal: AbortSignal },
  ): AsyncGenerator<EventBatch> {
    const onAbort = (): void => this.#wakeReaders();
    signal.addEventListener("abort", onAbort, { once: true });
    // An id from before a restart may be larger than any of now.
    let lastSeen = afterId > this.#lastId ? 0 : afterId;
    try {
      while (!signal.aborted) {
        if (lastSeen === this.#lastId) {
          if (this.#ended) return;
          await this.#nextNews();
          continue;
        }
        const first = Math.max(lastSeen + 1, this.#oldestId);
        const missed = first - lastSeen - 1;
        lastSeen = Math.min(this.#lastId, first + BATCH - 1);
        yield { missed, events: this.#slice(first, lastSeen) };
      }
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  recent({ limit, beforeId }: { limit: number; beforeId?: number }): StampedEvent[] {
    const newest = Math.min(this.#lastId, (beforeId ?? Infinity) - 1);
    return this.#slice(Math.max(this.#oldestId, newest - limit + 1), newest).reverse();
  }

  get #oldestId(): number {
    return Math.max(1, this.#lastId - this.#ring.length + 1);
  }

  #slice(firstId: number, lastId: number): StampedEvent[] {
    const events: StampedEvent[] = [];
    for (let id = firstId; id <= lastId; id++) {
      const event = this.#ring[id % this.#ring.length];
      if (event !== undefined) events.push(event);
    }
    return events;
  }

  /** Also when only one of them ends: the others find nothing new and wait again. */
  #wakeReaders(): void {
    const news = this.#news;
    this.#news = null;
    news?.resolve();
  }

  #nextNews(): Promise<void> {
    this.#news ??= Promise.withResolvers<void>();
    return this.#news.promise;
  }
}
