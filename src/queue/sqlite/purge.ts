import { keyOf } from "./key.ts";
import type { Calls } from "./protocol.ts";
import type { Workbench } from "./workbench.ts";

/** Forgets messages that have been done for long. */
export function purgeHandler(
  { database, counters }: Workbench,
): (request: Calls["purge"]["args"]) => number {
  const select = database.prepare<[seq: number, mask: number, ...counts: number[]]>(
    `SELECT seq, mask, queued, held, delivered, failed, expired, cancelled
     FROM messages INDEXED BY messages_done
     WHERE done_at IS NOT NULL AND done_at < ? ORDER BY done_at LIMIT ?`,
  );
  const removals = [
    "DELETE FROM recipients WHERE key >= ? AND key < ?",
    "DELETE FROM timeline WHERE key >= ? AND key < ?",
  ].map((sql) => database.prepare(sql));
  const removeMessage = database.prepare("DELETE FROM messages WHERE seq = ?");

  return ({ beforeMs, limit }) => {
    const rows = select.all(beforeMs, limit);
    for (const [sequence, mask, ...counts] of rows) {
      for (const removal of removals) removal.run(keyOf(sequence, 0), keyOf(sequence + 1, 0));
      removeMessage.run(sequence);
      counters.addMessages(mask, -1);
      counts.forEach((count, code) => counters.addRecipients(code, -count));
    }
    return rows.length;
  };
}
