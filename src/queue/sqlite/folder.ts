import { StoreError } from "../store.ts";
import { storeError } from "./failure.ts";

/** Names inside the store's folder. */
export const DATABASE_FILE = "queue.db";
export const LOCK_FILE = "posthouse.lock";
export const SPOOL_FOLDER = "spool";

/** The first bytes of every SQLite database (https://www.sqlite.org/fileformat.html). */
const MAGIC = "SQLite format 3\0";

/**
 * Looks at the database file before SQLite does, whose failures to open carry no code.
 *
 * @throws StoreError `read_only`, `corrupt`, `full` or `unavailable`.
 */
export function checkFile(path: string, { create }: { create: boolean }): void {
  try {
    using file = Deno.openSync(path, { read: true, write: create, create, mode: 0o600 });
    const head = new Uint8Array(MAGIC.length);
    const length = file.readSync(head) ?? 0;
    if (length === 0 || new TextDecoder().decode(head) === MAGIC) return;
    throw new StoreError("corrupt", `Cannot open the queue: not a database, got ${path}`);
  } catch (error) {
    throw storeError("open the queue", error);
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
export async function syncFolder(folder: string): Promise<void> {
  if (Deno.build.os === "windows") return; // It cannot open folders, and keeps them by itself.
  using handle = await Deno.open(folder);
  await handle.sync();
}

/**
 * Takes the lock by which one relay owns a folder. It ends with the returned value, or with the
 * process however that ends.
 *
 * @throws StoreError `locked` when another relay has it.
 */
export async function takeLock(folder: string): Promise<Disposable> {
  try {
    const file = await Deno.open(`${folder}/${LOCK_FILE}`, { write: true, create: true });
    if (await file.tryLock(true)) return { [Symbol.dispose]: () => file.close() };
    file.close();
  } catch (error) {
    throw storeError("lock the queue", error);
  }
  const reason = `another relay works on this folder, got ${folder}`;
  throw new StoreError("locked", `Cannot open the queue: ${reason}`);
}
