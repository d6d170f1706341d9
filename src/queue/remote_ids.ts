import type { Shelf, ShelfRecord } from "./shelf.ts";

/** A message and those of its recipients that a next hop knows under one name. */
export interface RemoteMessage {
  readonly messageId: string;
  /** Indexes. */
  readonly recipients: readonly number[];
}

const SPACE = "remote";

/** Nobody tells news of a message later; and without a message nothing is lost with its name. */
const KEEP_MS = 30 * 24 * 3_600_000;

/** The record by which a message is found by what a next hop calls it. */
export function remoteIdRecord(
  remoteId: string,
  { messageId, recipients, nowMs }: RemoteMessage & { nowMs: number },
): ShelfRecord {
  const value = JSON.stringify({ messageId, recipients });
  return { space: SPACE, key: remoteId, value, expiresAtMs: nowMs + KEEP_MS };
}

/**
 * What a next hop calls `remoteId`; null when nothing is known of it. The message may be gone.
 *
 * @throws StoreError as the store does.
 */
export async function findRemote(shelf: Shelf, remoteId: string): Promise<RemoteMessage | null> {
  const entry = await shelf.get(SPACE, remoteId);
  if (entry === null) return null;
  try {
    return JSON.parse(entry.value);
  } catch {
    return null; // a damaged record is as good as none
  }
}
