import type { ShelfEntry } from "../shelf.ts";
import type { Database } from "./database.ts";
import type { Handlers } from "./protocol.ts";

type EntryRow = [key: string, value: string, expiresAtMs: number | null];

const IS_THERE = "(expires_at IS NULL OR expires_at > ?)";
const COLUMNS = "key, value, expires_at";

/** What changes small records. */
export function shelfWriters(database: Database): Handlers {
  const select = selectEntry(database);
  const replace = database.prepare("INSERT OR REPLACE INTO shelf VALUES (?, ?, ?, ?)");
  const remove = database.prepare<[number]>(
    "DELETE FROM shelf WHERE space = ? AND key = ? RETURNING coalesce(expires_at, 9e15)",
  );
  const removeExpired = database.prepare<[number]>(
    `DELETE FROM shelf WHERE (space, key) IN (
       SELECT space, key FROM shelf WHERE expires_at IS NOT NULL AND expires_at <= ? LIMIT ?
     ) RETURNING 1`,
  );
  const put = (space: string, { key, value, expiresAtMs }: ShelfEntry): void =>
    void replace.run(space, key, value, expiresAtMs);

  return {
    shelfPut({ space, entry }) {
      put(space, entry);
      return null;
    },
    shelfClaim({ space, entry, nowMs }) {
      const known = select.first(space, entry.key, nowMs);
      if (known !== undefined) return entryOf(known);
      put(space, entry);
      return null;
    },
    shelfDelete({ space, key, nowMs }) {
      const removed = remove.first(space, key);
      return removed !== undefined && removed[0] > nowMs;
    },
    shelfPurge: ({ nowMs, limit }) => removeExpired.all(nowMs, limit).length,
  };
}

/** What reads small records. */
export function shelfReaders(database: Database): Handlers {
  const select = selectEntry(database);
  const list = database.prepare<EntryRow>(
    `SELECT ${COLUMNS} FROM shelf WHERE space = ? AND key > ? AND ${IS_THERE}
       AND (?4 = '' OR instr(lower(key), lower(?4)) > 0) ORDER BY key LIMIT ?5`,
  );
  return {
    shelfGet({ space, key, nowMs }) {
      const row = select.first(space, key, nowMs);
      return row === undefined ? null : entryOf(row);
    },
    shelfList: ({ space, text = "", after = "", limit, nowMs }) =>
      list.all(space, after, nowMs, text, limit).map(entryOf),
  };
}

function selectEntry(database: Database) {
  return database.prepare<EntryRow>(
    `SELECT ${COLUMNS} FROM shelf WHERE space = ? AND key = ? AND ${IS_THERE}`,
  );
}

function entryOf([key, value, expiresAtMs]: EntryRow): ShelfEntry {
  return { key, value, expiresAtMs };
}
