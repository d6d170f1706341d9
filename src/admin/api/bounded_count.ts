import type { Clock } from "../../base/clock.ts";
import type { MessageFilter, QueuePort } from "../ports.ts";

/** How many messages fit. */
export interface BoundedCount {
  readonly count: number;
  /** False when there may be more: it would have taken too long to look at all. */
  readonly isComplete: boolean;
}

/** How long counting may take. */
const BUDGET_MS = 100;
const PAGE = 200;

/** Keys that the store has no index for, so that it must look at message after message. */
const SLOW_KEYS = [
  "listener",
  "minSizeBytes",
  "maxSizeBytes",
  "transport",
  "minAttempts",
  "replyStart",
  "text",
] as const;

/** Counts the messages that fit: all of them, or as many as are found in a moment. */
export async function countWithin(
  { queue, clock }: { queue: Pick<QueuePort, "count" | "list">; clock: Clock },
  filter: MessageFilter,
): Promise<BoundedCount> {
  if (SLOW_KEYS.every((key) => filter[key] === undefined)) {
    return { count: await queue.count(filter), isComplete: true };
  }
  const endMs = clock.monotonic() + BUDGET_MS;
  let count = 0;
  let cursor: string | null = null;
  do {
    const from: { cursor?: string } = cursor === null ? {} : { cursor };
    const page = await queue.list({ filter, limit: PAGE, ...from });
    count += page.items.length;
    cursor = page.cursor;
  } while (cursor !== null && clock.monotonic() < endMs);
  return { count, isComplete: cursor === null };
}
