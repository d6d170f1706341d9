import { LIVE_MASK } from "./counters.ts";
import { keyOf } from "./key.ts";
import type { Calls } from "./protocol.ts";
import type { Workbench } from "./workbench.ts";

type Row = [spool: string | null, mask: number, ...counts: number[]];

/** Makes the function that forgets a message altogether; false when there is none. */
export function messageRemover(
  { database, counters, unspooled }: Workbench,
): (sequence: number) => boolean {
  const select = database.prepare<Row>(
    `SELECT spool, mask, queued, held, delivered, failed, expired, cancelled
     FROM messages WHERE seq = ?`,
  );
  const removals = [
    "DELETE FROM recipients WHERE key >= ? AND key < ?",
    "DELETE FROM timeline WHERE key >= ? AND key < ?",
  ].map((sql) => database.prepare(sql));
  const removeBody = database.prepare("DELETE FROM bodies WHERE message = ?");
  const removeMessage = database.prepare("DELETE FROM messages WHERE seq = ?");

  return (sequence) => {
    const row = select.first(sequence);
    if (row === undefined) return false;
    const [spool, mask, ...counts] = row;
    for (const removal of removals) removal.run(keyOf(sequence, 0), keyOf(sequence + 1, 0));
    removeMessage.run(sequence);
    if ((mask & LIVE_MASK) !== 0) {
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
