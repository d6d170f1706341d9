import { storeError } from "./failure.ts";
import { existsSync, type OpenFile, removeIfThere } from "./files.ts";

const NAME_BYTES = 8;

/**
 * A process that writes spool files. Its name begins theirs, and the lock on the file of that name
 * says that it lives: its files may be named by a message yet. The lock ends with the process,
 * however that ends.
 */
export interface SpoolOwner {
  readonly name: string;
  /** Ends it: what no message names by now never will be. */
  end(): Promise<void>;
}

/** Makes an owner for this process, with a file in the folder of all owners. */
export async function becomeOwner(folder: string, openFile: OpenFile): Promise<SpoolOwner> {
  for (;;) {
    await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
    const name = randomName();
    const owner = await tryToOwn(folder, { name, createNew: true, openFile });
    if (owner === null) continue;
    // Somebody who clears the folder may have come in between and taken it for a dead one's.
    if (existsSync(`${folder}/${name}`)) return owner;
    await owner.end();
  }
}

/** Null when the file is not there, or cannot be made, or somebody else has the lock on it. */
async function tryToOwn(
  folder: string,
  { name, createNew, openFile }: { name: string; createNew: boolean; openFile: OpenFile },
): Promise<SpoolOwner | null> {
  const path = `${folder}/${name}`;
  const file = await openOrNull(path, { write: true, createNew, mode: 0o600, openFile });
  if (file === null) return null;
  if (!await file.tryLock(true)) {
    file.close();
    return null;
  }
  return {
    name,
    async end() {
      removeIfThere(path);
      file.close();
      await Deno.remove(folder).catch(() => {}); // It has others in it, or goes with the last one.
    },
  };
}

async function openOrNull(
  path: string,
  { openFile, ...options }: Deno.OpenOptions & { readonly openFile: OpenFile },
): Promise<Deno.FsFile | null> {
  try {
    return await openFile(path, options);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/** The owner's part of a spool file's name; null for files of older versions. */
export function ownerOf(fileName: string): string | null {
  return /^([0-9a-f]{16})-\d+\.eml$/.exec(fileName)?.[1] ?? null;
}

/** Names of the owners that are dead or alive, but for those that ended properly. */
export async function knownOwners(folder: string): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const { name } of Deno.readDir(folder)) names.push(name);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw storeError("read the spool folder", error);
  }
  return names;
}

/** Takes the place of an owner that is dead, until its `end`; null while it lives. */
export async function takeOverFrom(
  folder: string,
  { name, openFile }: { name: string; openFile: OpenFile },
): Promise<SpoolOwner | null> {
  try {
    const taken = await tryToOwn(folder, { name, createNew: false, openFile });
    if (taken !== null || existsSync(`${folder}/${name}`)) return taken;
    return { name, end: () => Promise.resolve() };
  } catch (error) {
    throw storeError("clear the spool folder", error);
  }
}

function randomName(): string {
  return crypto.getRandomValues(new Uint8Array(NAME_BYTES)).toHex();
}
