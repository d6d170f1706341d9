import { SPOOL_FOLDER } from "../queue/sqlite/folder.ts";

/** Permissions of everybody but the owner. */
const OTHERS = 0o077;
const STICKY = 0o1000;
/** Folders below the data folder that are looked into. */
const DEPTH = 3;

/**
 * Takes the permissions on the data folder, and on what is in it, from everybody but the owner.
 * Only the spool folder is not looked into: all of its files are made private.
 *
 * @returns what was found, and what becomes of it, in a sentence each.
 */
export async function makePrivate(folder: string): Promise<string[]> {
  if (Deno.build.os === "windows") return []; // it has other permissions, which folders hand down
  const findings: string[] = [];
  for await (const path of pathsIn(folder, DEPTH)) {
    const finding = await makeOnePrivate(path);
    if (finding !== null) findings.push(finding);
  }
  return findings;
}

async function* pathsIn(path: string, depth: number): AsyncGenerator<string> {
  yield path;
  try {
    for await (const { name, isDirectory, isFile } of Deno.readDir(path)) {
      const inner = `${path}/${name}`;
      if (isFile) yield inner;
      else if (isDirectory && (depth === 0 || name === SPOOL_FOLDER)) yield inner;
      else if (isDirectory) yield* pathsIn(inner, depth - 1);
    }
  } catch (error) {
    // Files come and go, and there may be no folder: with a queue in memory nothing needs one.
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

async function makeOnePrivate(path: string): Promise<string | null> {
  try {
    const { mode, isSymlink } = await Deno.lstat(path);
    if (mode === null || isSymlink || (mode & OTHERS) === 0) return null;
    const shown = (mode & 0o777).toString(8);
    if ((mode & STICKY) !== 0) {
      return `${path} is accessible to all users (mode ${shown}); use a dedicated data_dir`;
    }
    await Deno.chmod(path, mode & 0o777 & ~OTHERS);
    return `${path} was accessible to other users (mode ${shown}); now only its owner has access`;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    const reason = error instanceof Error ? error.message : String(error);
    return `${path} is accessible to other users, and its mode cannot be changed: ${reason}`;
  }
}
