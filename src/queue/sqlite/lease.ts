import { messageOf, positionOf, POSITIONS } from "./key.ts";
import type { Calls } from "./protocol.ts";
import { encodeEntry, type TimelineWriter } from "./timeline.ts";
import type { Workbench } from "./workbench.ts";

/** No owner has this name. */
const NOBODY = "";

type LeaseRow = [key: number, owner: string];

/** Ends and extends claims. */
export interface Leases {
  /** Ends claims of others that ended by `nowMs`, at most `limit`, and says so in timelines. */
  interrupt(request: { asking: string; nowMs: number; limit: number }): number;
  /** The same for all claims, as those of a process that died here. */
  interruptAll(request: { nowMs: number; limit: number }): number;
  /** When the first lease of others ends; null when there are none. */
  firstEndMs(asking: string): number | null;
  abandon(request: Calls["abandon"]["args"]): number;
  /** Ends the claims of one call whose answer was lost; they end at a time of their own. */
  undo(claim: { owner: string; untilMs: number }): void;
  renew(request: Calls["renew"]["args"]): null;
}

/** Makes the leases of one connection. */
export function leases(
  { database, owners }: Workbench,
  { timeline }: { timeline: TimelineWriter },
): Leases {
  const selectEnded = database.prepare<LeaseRow>(
    `SELECT key, owner FROM recipients INDEXED BY recipients_leased
     WHERE owner IS NOT NULL AND owner <> ? AND lease_until < ? LIMIT ?`,
  );
  const selectOwned = database.prepare<LeaseRow>(
    `SELECT key, owner FROM recipients INDEXED BY recipients_leased
     WHERE owner IS NOT NULL AND owner = ? AND lease_until < ? LIMIT ?`,
  );
  const selectFirstEnd = database.prepare<[number | null]>(
    `SELECT min(lease_until) FROM recipients INDEXED BY recipients_leased
     WHERE owner IS NOT NULL AND owner <> ?`,
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

  const allOwners = database.prepare<[string]>(
    `SELECT DISTINCT owner FROM recipients INDEXED BY recipients_leased WHERE owner IS NOT NULL`,
  );
  for (const [owner] of allOwners.all()) owners.add(owner);

  /** A folder has one owner as a rule, and then there is nothing to look for. */
  const hasOthers = (asking: string): boolean => {
    owners.add(asking);
    return owners.size > 1;
  };
  const end = (rows: readonly LeaseRow[], nowMs: number): number => {
    for (const [key] of rows) free.run(key);
    for (const { message, owner, recipients } of grouped(rows)) {
      const entry = { atMs: nowMs, kind: "interrupted", recipients, detail: { owner } };
      timeline(message, encodeEntry(entry));
    }
    return rows.length;
  };

  return {
    interrupt({ asking, nowMs, limit }) {
      if (!hasOthers(asking)) return 0;
      return end(selectEnded.all(asking, nowMs + 1, limit), nowMs); // they end within a millisecond
    },
    interruptAll({ nowMs, limit }) {
      const ended = end(selectEnded.all(NOBODY, Number.MAX_SAFE_INTEGER, limit), nowMs);
      if (ended < limit) owners.clear();
      return ended;
    },
    firstEndMs(asking) {
      const endMs = hasOthers(asking) ? selectFirstEnd.first(asking)?.[0] ?? null : null;
      return endMs === null ? null : Math.floor(endMs);
    },
    undo: ({ owner, untilMs }) => void freeThose.run(owner, untilMs),
    abandon({ owner, endedMs, limit }) {
      const rows = selectOwned.all(owner, endedMs + 1, limit);
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
