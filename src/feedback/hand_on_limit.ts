import type { Shelf } from "../queue/store.ts";

const SPACE = "handed_on";
/** Delays, a failure and notes of absence are fewer, for one recipient. */
const MOST_EACH = 20;
const REMEMBERED_MS = 30 * 86_400_000;

/**
 * Whether one more of what comes back for a message goes on to its sender. Anyone who got a message
 * knows where its bounces go, and could otherwise send its sender anything, by this relay, without
 * end.
 *
 * @param key names the message, and its recipient where only one can be meant.
 * @throws StoreError as the store does.
 */
export async function mayHandOn(
  shelf: Shelf,
  { key, recipients, nowMs }: { key: string; recipients: number; nowMs: number },
): Promise<boolean> {
  const count = Number((await shelf.get(SPACE, key))?.value ?? 0);
  if (count >= MOST_EACH * recipients) return false;
  const value = String(count + 1);
  await shelf.put(SPACE, { key, value, expiresAtMs: nowMs + REMEMBERED_MS });
  return true;
}
