import type { Shelf } from "../queue/store.ts";
import { mailboxKey } from "../queue/mailbox.ts";

const SPACE = "soft_bounces";

/** How many soft bounces of a mailbox are too many. */
export interface SoftBounceRule {
  /** The number that is too many; 0 for never. */
  readonly limit: number;
  /** The time within which they come. */
  readonly windowMs: number;
}

/**
 * Notes one more soft bounce of a mailbox and tells how many there were within the time; the
 * times are kept in the store, so that they outlive the process. Calls for one mailbox must not
 * overlap.
 *
 * @throws StoreError as the store does.
 */
export async function countSoftBounce(
  shelf: Shelf,
  { mailbox, atMs, rule: { limit, windowMs } }: {
    mailbox: string;
    atMs: number;
    rule: SoftBounceRule;
  },
): Promise<number> {
  const key = mailboxKey(mailbox);
  const known = timesIn((await shelf.get(SPACE, key))?.value);
  const times = [...known.filter((timeMs) => timeMs > atMs - windowMs), atMs].slice(-limit);
  await shelf.put(SPACE, { key, value: JSON.stringify(times), expiresAtMs: atMs + windowMs });
  return times.length;
}

/** Begins to count anew. */
export async function forgetSoftBounces(shelf: Shelf, mailbox: string): Promise<void> {
  await shelf.delete(SPACE, mailboxKey(mailbox));
}

/** What is damaged counts for nothing. */
function timesIn(value: string | undefined): number[] {
  if (value === undefined) return [];
  try {
    const times: unknown = JSON.parse(value);
    return Array.isArray(times) ? times.filter((time) => typeof time === "number") : [];
  } catch {
    return [];
  }
}
