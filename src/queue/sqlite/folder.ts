import { StoreError } from "../store.ts";
import { storeError } from "./failure.ts";
import type { OpenFile } from "./files.ts";

/** Names inside the store's folder. */
export const DATABASE_FILE = "queue.db";
export const LOCK_FILE = "posthouse.lock";
export const SPOOL_FOLDER = "spool";
/** Has a file for each process that writes into the spool folder, see spool_owner.ts. */
export const OWNERS_FOLDER = "spool.owners";

/**
 * Makes the database file where there is none, for its owner alone. A file that is there is not
 * opened: SQLite may hold it in another thread, and closing a file, however it was opened, ends all
 * POSIX locks that the process has on it (https://www.sqlite.org/howtocorrupt.html, 2.2.1).
 *
 * @throws StoreError `read_only`, `full` or `unavailable`.
 */
export function makeDatabaseFile(path: string): void {
  try {
    Deno.openSync(path, { write: true, createNew: true, mode: 0o600 }).close();
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return;
    throw storeError("make the queue", error);
  }
}

/** Makes the folders of a store where they are missing. */
export async function makeFolders(folder: string): Promise<void> {
  try {
    await Deno.mkdir(`${folder}/${SPOOL_FOLDER}`, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw storeError(`make the queue's folder ${folder}`, error);
  }
}

/** Makes what was created, renamed or removed in a folder durable. */
export async function syncFolder(folder: string, openFile: OpenFile = Deno.open): Promise<void> {
  if (Deno.build.os === "windows") return; // It cannot open folders, and keeps them by itself.
  using handle = await openFile(folder);
  await handle.sync();
}

/**
 * Takes the lock by which one relay owns a folder. It ends with the returned value, or with the
 * process however that ends.
 *
 * @throws StoreError `locked` when another relay has it.
 */
export async function takeLock(
  folder: string,
  openFile: OpenFile = Deno.open,
): Promise<Disposable> {
  try {
    // Its owner alone can take it.
    const options = { write: true, create: true, mode: 0o600 };
    const file = await openFile(`${folder}/${LOCK_FILE}`, options);
    if (await file.tryLock(true)) return { [Symbol.dispose]: () => file.close() };
    file.close();
  } catch (error) {
    throw storeError("lock the queue", error);
  }
  const reason = `another relay works on this folder, got ${folder}`;
  throw new StoreError("locked", `Cannot open the queue: ${reason}`);
}
