import type { Clock } from "../../base/clock.ts";
import type { EventSink, RelayEvent } from "../../observe/events.ts";
import type { EventsPort, StampedEvent } from "../ports.ts";

/** Events that are kept for readers that resume or are slow. */
const KEPT = 10_000;

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

  async *subscribe(
    { afterId, signal }: { afterId: number; signal: AbortSignal },
  ): AsyncGenerator<StampedEvent | { missed: number }> {
    const onAbort = (): void => this.#wakeReaders();
    signal.addEventListener("abort", onAbort, { once: true });
    // An id from before a restart may be larger than any of now.
    let lastSeen = afterId > this.#lastId ? 0 : afterId;
    try {
      while (!signal.aborted) {
        const oldest = Math.max(1, this.#lastId - this.#ring.length + 1);
        if (lastSeen + 1 < oldest) {
          yield { missed: oldest - lastSeen - 1 };
          lastSeen = oldest - 1;
          continue; // the ring moved on while the reader took this
        }
        const next = lastSeen < this.#lastId ? this.#at(lastSeen + 1) : undefined;
        if (next === undefined) {
          await this.#nextNews();
          continue;
        }
        lastSeen = next.id;
        yield next;
      }
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  recent({ limit, beforeId }: { limit: number; beforeId?: number }): StampedEvent[] {
    const found: StampedEvent[] = [];
    const oldest = Math.max(1, this.#lastId - this.#ring.length + 1);
    let id = Math.min(this.#lastId, (beforeId ?? Infinity) - 1);
    for (; id >= oldest && found.length < limit; id--) {
      const event = this.#at(id);
      if (event !== undefined) found.push(event);
    }
    return found;
  }

  #at(id: number): StampedEvent | undefined {
    return this.#ring[id % this.#ring.length];
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
