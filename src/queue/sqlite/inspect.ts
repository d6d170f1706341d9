import { StoreError } from "../store.ts";
import { Database } from "./database.ts";
import { existsSync } from "./files.ts";
import { SCHEMA_VERSION } from "./schema.ts";

const BUSY_TIMEOUT_MS = 5_000;
/** The schema version that keeps octets of messages that failed. */
const KEPT_SINCE = 3;

/** What is known of a database that no relay works on. */
export interface DatabaseFacts {
  readonly schemaVersion: number;
  readonly messages: number;
  /** Messages with a recipient that is not final. */
  readonly liveMessages: number;
  /** Names of the spool files that hold octets of messages. */
  readonly spool: readonly string[];
}

/**
 * Copies the database of a queue while a relay may be working on it: one state of it, complete,
 * whatever is written meanwhile. Writers do not wait. The copy is inspected.
 *
 * @throws StoreError as opening does; `corrupt` when the copy is damaged.
 */
export async function snapshotDatabase(
  { from, to }: { from: string; to: string },
): Promise<DatabaseFacts> {
  if (!existsSync(from)) throw new StoreError("unavailable", `Cannot read ${from}: it is missing`);
  {
    // Not read-only: that cannot open a log which nobody has open.
    using database = new Database(from);
    database.script(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
    await database.copyTo(to);
  }
  {
    // A file of its own, that can be read where nothing may be written.
    using copy = new Database(to);
    copy.pragma("journal_mode = DELETE");
  }
  return inspectDatabase(to);
}

/** Looks through a database for damage. Throws as `snapshotDatabase`. */
export function inspectDatabase(path: string): DatabaseFacts {
  using database = new Database(path, { readOnly: true });
  const schemaVersion = Number(database.pragma("user_version"));
  if (schemaVersion > SCHEMA_VERSION) {
    throw new StoreError("newer_schema", `Cannot read ${path}: a newer program wrote it`);
  }
  const verdict = String(database.pragma("integrity_check(1)"));
  if (verdict !== "ok") throw new StoreError("corrupt", `Cannot read ${path}: ${verdict}`);
  if (schemaVersion === 0) return { schemaVersion, messages: 0, liveMessages: 0, spool: [] };
  const count = (where: string): number =>
    Number(database.prepare<[number]>(`SELECT count(*) FROM messages ${where}`).first()?.[0]);
  return {
    schemaVersion,
    messages: count(""),
    liveMessages: count("WHERE done_at IS NULL"),
    spool: spoolNames(database, schemaVersion),
  };
}

function spoolNames(database: Database, schemaVersion: number): string[] {
  const kept = schemaVersion < KEPT_SINCE ? "" : "OR kept = 1";
  return database.prepare<[string]>(
    `SELECT DISTINCT spool FROM messages WHERE spool IS NOT NULL AND (done_at IS NULL ${kept})`,
  ).all().map(([name]) => name);
}
