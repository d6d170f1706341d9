import { LIVE_MASK } from "./counters.ts";
import { keyOf } from "./key.ts";
import type { Calls } from "./protocol.ts";
import type { Workbench } from "./workbench.ts";

type Row = [spool: string | null, kept: number, mask: number, ...counts: number[]];

/** Makes the function that forgets a message altogether; false when there is none. */
export function messageRemover(
  { database, counters, unspooled }: Workbench,
): (sequence: number) => boolean {
  const select = database.prepare<Row>(
    `SELECT spool, kept, mask, queued, held, delivered, failed, expired, cancelled
     FROM messages WHERE seq = ?`,
  );
  const removals = [
    "DELETE FROM recipients WHERE key >= ? AND key < ?",
    "DELETE FROM timeline WHERE key >= ? AND key < ?",
  ].map((sql) => database.prepare(sql));
  const removeBody = database.prepare("DELETE FROM bodies WHERE message = ?");
  const removeFacts = database.prepare("DELETE FROM facts WHERE seq = ?");
  const removeMessage = database.prepare("DELETE FROM messages WHERE seq = ?");

  return (sequence) => {
    const row = select.first(sequence);
    if (row === undefined) return false;
    const [spool, kept, mask, ...counts] = row;
    for (const removal of removals) removal.run(keyOf(sequence, 0), keyOf(sequence + 1, 0));
    removeMessage.run(sequence);
    removeFacts.run(sequence);
    if ((mask & LIVE_MASK) !== 0 || kept !== 0) {
      if (spool === null) removeBody.run(sequence);
      else unspooled.push(spool);
    }
    counters.addMessages(mask, -1);
    counts.forEach((count, code) => counters.addRecipients(code, -count));
    return true;
  };
}

/** Forgets messages that have been done for long. */
export function purgeHandler(
  { database }: Workbench,
  { remove }: { remove: (sequence: number) => boolean },
): (request: Calls["purge"]["args"]) => number {
  const select = database.prepare<[number]>(
    `SELECT seq FROM messages INDEXED BY messages_done
     WHERE done_at IS NOT NULL AND done_at < ? ORDER BY done_at LIMIT ?`,
  );
  return ({ beforeMs, limit }) => {
    const rows = select.all(beforeMs, limit);
    for (const [sequence] of rows) remove(sequence);
    return rows.length;
  };
}

/** Lets go of octets that were kept of messages that failed. */
export function bodyDropper(
  { database, unspooled }: Workbench,
): (request: Calls["dropBodies"]["args"]) => number {
  const select = database.prepare<[sequence: number, spool: string | null]>(
    `SELECT seq, spool FROM messages INDEXED BY messages_kept
     WHERE kept = 1 AND done_at < ? ORDER BY done_at LIMIT ?`,
  );
  const removeBody = database.prepare("DELETE FROM bodies WHERE message = ?");
  const forget = database.prepare("UPDATE messages SET kept = 0 WHERE seq = ?");
  return ({ beforeMs, limit }) => {
    const rows = select.all(beforeMs, limit);
    for (const [sequence, spool] of rows) {
      if (spool === null) removeBody.run(sequence);
      else unspooled.push(spool);
      forget.run(sequence);
    }
    return rows.length;
  };
}
