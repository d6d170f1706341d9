import type { QueuePort } from "../ports.ts";

const MINUTE_MS = 60_000;
/** Upper ends of the age classes of waiting mail. */
const AGES_MS = [5, 30, 120, 480, 1440].map((minutes) => minutes * MINUTE_MS);
/** Counting may take this share of the time at most. */
const MAX_SHARE = 0.05;

/** Messages that wait, by age. */
export interface CountedAges {
  readonly countedAtMs: number;
  /** The youngest first; null for everything older. */
  readonly buckets: readonly {
    readonly maxAgeMs: number | null;
    readonly queued: number;
    readonly held: number;
  }[];
}

/**
 * Counts waiting mail by age. That looks at every message that waits, so what was counted in a
 * long queue is answered with again for a while.
 */
export class QueueAges {
  readonly #queue: Pick<QueuePort, "count">;
  #counting: Promise<CountedAges> | null = null;
  #validUntilMs = 0;

  constructor(queue: Pick<QueuePort, "count">) {
    this.#queue = queue;
  }

  /** @throws StoreError as the store does. */
  count(nowMs: number): Promise<CountedAges> {
    if (this.#counting !== null && nowMs < this.#validUntilMs) return this.#counting;
    this.#validUntilMs = Infinity;
    const counting = this.#count(nowMs);
    counting.catch(() => this.#counting = null);
    this.#counting = counting;
    return counting;
  }

  async #count(nowMs: number): Promise<CountedAges> {
    const startedMs = performance.now();
    const edges = [0, ...AGES_MS];
    const buckets = await Promise.all(edges.map(async (minAgeMs, index) => {
      const maxAgeMs = edges[index + 1] ?? null;
      const filter = {
        ...(minAgeMs === 0 ? {} : { receivedBeforeMs: nowMs - minAgeMs }),
        ...(maxAgeMs === null ? {} : { receivedAfterMs: nowMs - maxAgeMs - 1 }),
      };
      const [queued, held] = await Promise.all([
        this.#queue.count({ ...filter, states: ["queued"] }),
        this.#queue.count({ ...filter, states: ["held"] }),
      ]);
      return { maxAgeMs, queued, held };
    }));
    const tookMs = performance.now() - startedMs;
    this.#validUntilMs = nowMs + tookMs / MAX_SHARE;
    return { countedAtMs: nowMs, buckets };
  }
}
