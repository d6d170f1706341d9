import { LIVE_MASK } from "./counters.ts";
import { keyOf } from "./key.ts";
import { octetsReleaser } from "./octets.ts";
import type { Calls } from "./protocol.ts";
import type { Workbench } from "./workbench.ts";

type Row = [
  spool: string | null,
  shared: number | null,
  kept: number,
  mask: number,
  ...counts: number[],
];

/** Makes the function that forgets a message altogether; false when there is none. */
export function messageRemover(
  bench: Workbench,
): (sequence: number) => boolean {
  const { database, counters } = bench;
  const release = octetsReleaser(bench);
  const select = database.prepare<Row>(
    `SELECT spool, shared, kept, mask, queued, held, delivered, failed, expired, cancelled
     FROM messages WHERE seq = ?`,
  );
  const removals = [
    "DELETE FROM recipients WHERE key >= ? AND key < ?",
    "DELETE FROM timeline WHERE key >= ? AND key < ?",
  ].map((sql) => database.prepare(sql));
  const selectWaiting = database.prepare<
    [domain: string, state: number, lastReply: string, receivedAtMs: number | null]
  >(
    `SELECT domain, state, last_reply, received_at FROM recipients
     WHERE key >= ? AND key < ? AND state < 2`,
  );
  const removeFacts = database.prepare("DELETE FROM facts WHERE seq = ?");
  const removeMessage = database.prepare("DELETE FROM messages WHERE seq = ?");

  return (sequence) => {
    const row = select.first(sequence);
    if (row === undefined) return false;
    const [spool, shared, kept, mask, ...counts] = row;
    const keys = [keyOf(sequence, 0), keyOf(sequence + 1, 0)] as const;
    const waiting = (mask & LIVE_MASK) === 0 ? [] : selectWaiting.all(...keys);
    for (const [domain, state, lastReply, receivedAtMs] of waiting) {
      counters.addWaiting({ domain, state, lastReply, receivedAtMs }, -1);
    }
    for (const removal of removals) removal.run(...keys);
    removeMessage.run(sequence);
    removeFacts.run(sequence);
    if ((mask & LIVE_MASK) !== 0 || kept !== 0) release({ sequence, spool, shared });
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
  bench: Workbench,
): (request: Calls["dropBodies"]["args"]) => number {
  const { database } = bench;
  const release = octetsReleaser(bench);
  const select = database.prepare<
    [sequence: number, spool: string | null, shared: number | null]
  >(
    `SELECT seq, spool, shared FROM messages INDEXED BY messages_kept
     WHERE kept = 1 AND done_at < ? ORDER BY done_at LIMIT ?`,
  );
  const forget = database.prepare("UPDATE messages SET kept = 0 WHERE seq = ?");
  return ({ beforeMs, limit }) => {
    const rows = select.all(beforeMs, limit);
    for (const [sequence, spool, shared] of rows) {
      release({ sequence, spool, shared });
      forget.run(sequence);
    }
    return rows.length;
  };
}
