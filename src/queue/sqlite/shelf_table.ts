import type { ShelfEntry, ShelfRecord } from "../shelf.ts";
import type { Database } from "./database.ts";
import type { Handlers } from "./protocol.ts";
import type { Workbench } from "./workbench.ts";

type EntryRow = [key: string, value: string, expiresAtMs: number | null];

const IS_THERE = "(expires_at IS NULL OR expires_at > ?)";
const COLUMNS = "key, value, expires_at";

/** Puts small records within a transaction. */
export interface RecordWriter {
  put(record: ShelfRecord): void;
  /** Puts a record unless there is one; returns the one that was there. */
  claim(record: ShelfRecord, nowMs: number): ShelfEntry | null;
}

/** Makes the writer of small records. */
export function recordWriter(bench: Workbench): RecordWriter {
  const { database } = bench;
  const select = selectEntry(database);
  const replace = database.prepare("INSERT OR REPLACE INTO shelf VALUES (?, ?, ?, ?)");
  const put = ({ space, key, value, expiresAtMs }: ShelfRecord): void =>
    void replace.run(space, key, value, expiresAtMs);
  return {
    put,
    claim(record, nowMs) {
      const known = select.first(record.space, record.key, nowMs);
      const isOwn = bench.isAgain && known?.[1] === record.value;
      if (known !== undefined && !isOwn) return entryOf(known);
      put(record);
      return null;
    },
  };
}

/** What changes small records. */
export function shelfWriters(database: Database, { shelf }: { shelf: RecordWriter }): Handlers {
  const remove = database.prepare<[number]>(
    "DELETE FROM shelf WHERE space = ? AND key = ? RETURNING coalesce(expires_at, 9e15)",
  );
  const removeExpired = database.prepare<[number]>(
    `DELETE FROM shelf WHERE (space, key) IN (
       SELECT space, key FROM shelf WHERE expires_at IS NOT NULL AND expires_at <= ? LIMIT ?
     ) RETURNING 1`,
  );

  return {
    shelfPut({ space, entry }) {
      shelf.put({ space, ...entry });
      return null;
    },
    shelfClaim: ({ space, entry, nowMs }) => shelf.claim({ space, ...entry }, nowMs),
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
