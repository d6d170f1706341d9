import { encodeText } from "../../base/bytes.ts";

/** Readable and writable by the owner alone. */
const PRIVATE = 0o600;

/** Runs `work` while no other process does so for this file. The folder is made if need be. */
export async function withFileLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  await Deno.mkdir(folderOf(path), { recursive: true, mode: 0o700 });
  // A file of its own: the one that is replaced would not keep others out.
  using lock = await Deno.open(`${path}.lock`, { write: true, create: true, mode: PRIVATE });
  await lock.lock(true);
  return await work();
}

/**
 * Puts a new file in the place of another, or where none is: readers see the old one or the new
 * one, also after a crash. It belongs to the owner of the old one, or else of the folder, and
 * nobody else may read it.
 */
export async function replaceFile(path: string, text: string): Promise<void> {
  const temporary = `${path}.new`;
  await Deno.remove(temporary).catch(ignoreMissing); // left by a crash, perhaps
  try {
    await writeSynced(temporary, text);
    await giveTo(temporary, await ownerOf(path));
    await Deno.rename(temporary, path);
  } catch (error) {
    await Deno.remove(temporary).catch(ignoreMissing);
    throw error;
  }
  await syncFolder(path);
}

async function writeSynced(path: string, text: string): Promise<void> {
  using file = await Deno.open(path, { write: true, createNew: true, mode: PRIVATE });
  let rest: Uint8Array = encodeText(text);
  while (rest.length > 0) rest = rest.subarray(await file.write(rest));
  await file.sync();
}

async function ownerOf(path: string): Promise<Deno.FileInfo> {
  try {
    return await Deno.stat(path);
  } catch (error) {
    ignoreMissing(error);
    return await Deno.stat(folderOf(path));
  }
}

/** A relay that runs as its own user must be able to read what root wrote. */
async function giveTo(path: string, { uid, gid }: Deno.FileInfo): Promise<void> {
  const own = await Deno.stat(path);
  if (own.uid !== uid) await Deno.chown(path, uid, gid);
}

async function syncFolder(path: string): Promise<void> {
  using folder = await Deno.open(folderOf(path));
  await folder.sync();
}

function folderOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? "." : path.slice(0, slash) || "/";
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
