import type { QueuePort } from "../../../ports.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** Live mail between two ages. */
export interface AgeClass {
  readonly name: string;
  readonly minAgeMs: number;
  /** Null for any age above. */
  readonly maxAgeMs: number | null;
  readonly messages: number;
}

const CLASSES: readonly Omit<AgeClass, "messages">[] = [
  { name: "Under 5 min", minAgeMs: 0, maxAgeMs: 5 * MINUTE_MS },
  { name: "5 min to 1 h", minAgeMs: 5 * MINUTE_MS, maxAgeMs: HOUR_MS },
  { name: "1 to 6 h", minAgeMs: HOUR_MS, maxAgeMs: 6 * HOUR_MS },
  { name: "6 to 24 h", minAgeMs: 6 * HOUR_MS, maxAgeMs: 24 * HOUR_MS },
  { name: "Over a day", minAgeMs: 24 * HOUR_MS, maxAgeMs: null },
];

/** Counting may take this share of the time at most. */
const MAX_SHARE = 0.05;

/** Counts live mail by age; a large queue is counted less often than the page is shown. */
export class AgeCounter {
  readonly #queue: Pick<QueuePort, "count">;
  #counted: { readonly classes: readonly AgeClass[]; readonly untilMs: number } | null = null;
  #counting: Promise<readonly AgeClass[]> | null = null;

  constructor(queue: Pick<QueuePort, "count">) {
    this.#queue = queue;
  }

  /** @throws StoreError as the store does. */
  count(nowMs: number): Promise<readonly AgeClass[]> | readonly AgeClass[] {
    if (this.#counted !== null && nowMs < this.#counted.untilMs) return this.#counted.classes;
    this.#counting ??= this.#count(nowMs).finally(() => this.#counting = null);
    return this.#counting;
  }

  async #count(nowMs: number): Promise<readonly AgeClass[]> {
    const begunMs = performance.now();
    const classes = await Promise.all(CLASSES.map(async (ageClass) => ({
      ...ageClass,
      messages: await this.#queue.count({
        states: ["queued", "held"],
        receivedBeforeMs: nowMs - ageClass.minAgeMs + 1,
        ...(ageClass.maxAgeMs === null ? {} : { receivedAfterMs: nowMs - ageClass.maxAgeMs }),
      }),
    })));
    const tookMs = performance.now() - begunMs;
    this.#counted = { classes, untilMs: nowMs + tookMs / MAX_SHARE };
    return classes;
  }
}
