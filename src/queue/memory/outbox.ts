import type { Outbox, OutboxCall, OutboxCallPage, OutboxEvent, PlacedEvent } from "../outbox.ts";
import type { Run } from "./shelf.ts";

/** The outbox in memory. */
export class MemoryOutbox implements Outbox {
  readonly #run: Run;
  readonly #reached = new Map<string, number>();
  #events: PlacedEvent[] = [];
  #calls: (OutboxCall & { readonly id: string })[] = [];
  #lastPlace = 0;
  #callCount = 0;

  constructor({ run }: { run: Run }) {
    this.#run = run;
  }

  append(events: readonly OutboxEvent[]): Promise<void> {
    return this.#run(() => this.add(events));
  }

  /** As `append`, within a call of the store. */
  add(events: readonly OutboxEvent[]): void {
    for (const event of events) this.#events.push({ ...event, place: ++this.#lastPlace });
  }

  read(
    { after, limit }: { after: number; limit: number },
  ): Promise<readonly PlacedEvent[]> {
    return this.#run(() => this.#events.filter(({ place }) => place > after).slice(0, limit));
  }

  placeBefore(atMs?: number): Promise<number> {
    return this.#run(() => {
      const first = atMs === undefined
        ? undefined
        : this.#events.find((event) => event.atMs >= atMs);
      return first === undefined ? this.#lastPlace : first.place - 1;
    });
  }

  reached(webhook: string): Promise<number | null> {
    return this.#run(() => this.#reached.get(webhook) ?? null);
  }

  move(webhook: string, place: number): Promise<void> {
    return this.#run(() => void this.#reached.set(webhook, place));
  }

  record(call: OutboxCall, place: number | null): Promise<void> {
    return this.#run(() => {
      this.#calls.push({ ...call, id: String(++this.#callCount) });
      if (place !== null) this.#reached.set(call.webhook, place);
    });
  }

  calls(
    { webhook, limit, cursor }: { webhook?: string; limit: number; cursor?: string },
  ): Promise<OutboxCallPage> {
    return this.#run(() => {
      const below = cursor === undefined ? Infinity : Number(cursor);
      const found = this.#calls.filter((call) =>
        (webhook === undefined || call.webhook === webhook) && Number(call.id) < below
      ).reverse();
      const items = found.slice(0, limit);
      return { items, cursor: found.length > limit ? items.at(-1)?.id ?? null : null };
    });
  }

  purge({ beforeMs, limit }: { beforeMs: number; limit: number }): Promise<number> {
    return this.#run(() => {
      const before = this.#events.length + this.#calls.length;
      this.#events = withoutOld(this.#events, { beforeMs, limit });
      this.#calls = withoutOld(this.#calls, { beforeMs, limit });
      return before - this.#events.length - this.#calls.length;
    });
  }
}

function withoutOld<T extends { readonly atMs: number }>(
  items: readonly T[],
  { beforeMs, limit }: { beforeMs: number; limit: number },
): T[] {
  let removed = 0;
  return items.filter(({ atMs }) => atMs >= beforeMs || ++removed > limit);
}
