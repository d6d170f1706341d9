import { storeWorkerUrl } from "../../app/store.ts";
import { DATABASE_FILE, SPOOL_FOLDER, syncFolder } from "../../queue/sqlite/folder.ts";
import { type DatabaseFacts, inspectQueue } from "../../queue/sqlite/snapshot.ts";
import { StoreError } from "../../queue/store.ts";
import { copyFile, factsOf, type FileFacts, stateFiles } from "./files.ts";
import { SpoolHold } from "./spool_hold.ts";

/** Files come and go while a snapshot is made; it is made again until they fit. */
const MOST_SNAPSHOTS = 30;

/** What a backup copied. */
export interface BackupContent {
  readonly facts: DatabaseFacts;
  readonly files: readonly FileFacts[];
}

/**
 * Copies the data folder of a relay, which may be running, into an empty folder.
 *
 * Every message that was accepted before it began is in it, with its octets. Spool files are held
 * first; then the database is copied as it is at one moment; then the files that came in between
 * are held. A relay puts a file into the spool before its message into the database, and removes
 * it after the message is done there: so a file that the copy names and that cannot be held any
 * more belongs to a message that was done after the moment of the copy, and another copy has it so.
 *
 * @throws StoreError as `inspectQueue`.
 */
export async function makeBackup(
  { dataDir, folder, onProgress }: {
    dataDir: string;
    folder: string;
    onProgress: (done: number, total: number) => void;
  },
): Promise<BackupContent> {
  await using hold = await SpoolHold.open(dataDir);
  if (hold === null) throw new StoreError("locked", "Another backup of this queue is running");
  const facts = await snapshot({ dataDir, folder, hold });
  const state = await stateFiles(dataDir);
  const total = facts.spool.length + state.length;
  const files = [await factsOf({ folder, path: DATABASE_FILE })];
  const step = async (copied: Promise<FileFacts | null>): Promise<void> => {
    const copy = await copied;
    if (copy !== null) files.push(copy);
    onProgress(files.length - 1, total);
  };
  for (const name of facts.spool) {
    await step(copyFile(hold.path(name), { folder, path: `${SPOOL_FOLDER}/${name}` }));
  }
  for (const path of state) await step(copyIfThere(`${dataDir}/${path}`, { folder, path }));
  if (facts.spool.length > 0) await syncFolder(`${folder}/${SPOOL_FOLDER}`);
  return { facts, files };
}

/** Copies a file that the relay may have removed meanwhile; null then. */
async function copyIfThere(
  from: string,
  to: { folder: string; path: string },
): Promise<FileFacts | null> {
  try {
    await Deno.lstat(from);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
  return await copyFile(from, to);
}

/** Copies the database until the hold has every file that the copy names. */
async function snapshot(
  { dataDir, folder, hold }: { dataDir: string; folder: string; hold: SpoolHold },
): Promise<DatabaseFacts> {
  const to = `${folder}/${DATABASE_FILE}`;
  for (let round = 0; round < MOST_SNAPSHOTS; round++) {
    await hold.takeAll();
    const copied = inspectQueue(
      { kind: "snapshot", from: `${dataDir}/${DATABASE_FILE}`, to },
      { workerUrl: storeWorkerUrl() },
    );
    // Where mail comes and goes fast, files are held as they come, so that few slip through.
    const facts = round === 0 ? await copied : await holdingUntil(copied, hold);
    if ((await hold.take(facts.spool)).length === 0) {
      await sealed(to);
      return facts;
    }
    await Deno.remove(to);
  }
  throw new StoreError(
    "unavailable",
    "Cannot back up the queue: large messages change too fast; try again later",
  );
}

/** Holds whatever comes into the spool until the work is done. */
async function holdingUntil<T>(work: Promise<T>, hold: SpoolHold): Promise<T> {
  let isDone = false;
  const result = work.finally(() => isDone = true);
  try {
    while (!isDone) await hold.takeAll();
  } finally {
    await result.catch(() => {});
  }
  return await result;
}

/** Makes a database that SQLite wrote durable, and readable for its owner alone. */
async function sealed(path: string): Promise<void> {
  await Deno.chmod(path, 0o600);
  using file = await Deno.open(path);
  await file.sync();
}
