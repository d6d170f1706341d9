import { messageOf, positionOf, POSITIONS } from "./key.ts";
import type { Calls } from "./protocol.ts";
import { encodeEntry, type TimelineWriter } from "./timeline.ts";
import type { Workbench } from "./workbench.ts";

type LeaseRow = [key: number, owner: string];

/** Ends and extends claims. */
export interface Leases {
  /** Ends claims that ran until `untilMs` or sooner, at most `limit`, and says so in timelines. */
  interrupt(request: { untilMs: number; nowMs: number; limit: number }): number;
  abandon(request: Calls["abandon"]["args"]): number;
  /** Ends the claims of one call whose answer was lost; they end at a time of their own. */
  undo(claim: { owner: string; untilMs: number }): void;
  renew(request: Calls["renew"]["args"]): null;
}

/** Makes the leases of one connection. */
export function leases(
  { database }: Workbench,
  { timeline }: { timeline: TimelineWriter },
): Leases {
  const selectEnded = database.prepare<LeaseRow>(
    `SELECT key, owner FROM recipients INDEXED BY recipients_leased
     WHERE owner IS NOT NULL AND lease_until < ? LIMIT ?`,
  );
  const selectOwned = database.prepare<LeaseRow>(
    `SELECT key, owner FROM recipients INDEXED BY recipients_leased
     WHERE owner IS NOT NULL AND owner = ? LIMIT ?`,
  );
  const free = database.prepare(
    "UPDATE recipients SET owner = NULL, lease_until = NULL WHERE key = ?",
  );
  const freeThose = database.prepare(
    `UPDATE recipients INDEXED BY recipients_leased SET owner = NULL, lease_until = NULL
     WHERE owner IS NOT NULL AND owner = ? AND lease_until = ?`,
  );
  const extend = database.prepare(
    `UPDATE recipients SET lease_until = ?1
     WHERE key >= (SELECT seq FROM messages WHERE id = ?2) * ${POSITIONS}
       AND key < (SELECT seq + 1 FROM messages WHERE id = ?2) * ${POSITIONS} AND owner = ?3`,
  );

  return {
    interrupt({ untilMs, nowMs, limit }) {
      const rows = selectEnded.all(untilMs + 1, limit); // leases end within a millisecond
      for (const [key] of rows) free.run(key);
      for (const { message, owner, recipients } of grouped(rows)) {
        const entry = { atMs: nowMs, kind: "interrupted", recipients, detail: { owner } };
        timeline(message, encodeEntry(entry));
      }
      return rows.length;
    },
    undo: ({ owner, untilMs }) => void freeThose.run(owner, untilMs),
    abandon({ owner, limit }) {
      const rows = selectOwned.all(owner, limit);
      for (const [key] of rows) free.run(key);
      return rows.length;
    },
    renew({ owner, messageIds, untilMs }) {
      for (const id of messageIds) extend.run(untilMs, id, owner);
      return null;
    },
  };
}

interface LeaseGroup {
  readonly message: number;
  readonly owner: string;
  readonly recipients: number[];
}

function grouped(rows: readonly LeaseRow[]): Iterable<LeaseGroup> {
  const groups = new Map<string, LeaseGroup>();
  for (const [key, owner] of rows) {
    const message = messageOf(key);
    const index = positionOf(key);
    const name = `${message} ${owner}`;
    const group = groups.get(name);
    if (group === undefined) groups.set(name, { message, owner, recipients: [index] });
    else group.recipients.push(index);
  }
  return groups.values();
}
