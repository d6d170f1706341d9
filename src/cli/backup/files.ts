import { createHash } from "node:crypto";
import { LOCAL_KEY_FILE } from "../../admin/guard/local_key.ts";
import {
  DATABASE_FILE,
  LOCK_FILE,
  OWNERS_FOLDER,
  SPOOL_FOLDER,
} from "../../queue/sqlite/folder.ts";

/** One file of a backup. */
export interface FileFacts {
  /** Below the folder, with slashes. */
  readonly path: string;
  readonly sizeBytes: number;
  /** In hex. */
  readonly sha256: string;
}

/** The folder in which a backup keeps spool files from being removed while it copies them. */
export const HOLD_FOLDER = ".backup";
/** What `restore --force` put aside. */
export const ASIDE_PREFIX = "before-restore-";

const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;
const CHUNK_BYTES = 256 * 1024;

/**
 * Copies a file, has it on the disk when it resolves, and tells what was copied. Only its owner
 * can read the copy.
 */
export async function copyFile(
  from: string,
  { folder, path }: { folder: string; path: string },
): Promise<FileFacts> {
  const to = `${folder}/${path}`;
  await Deno.mkdir(parentOf(to), { recursive: true, mode: FOLDER_MODE });
  using target = await Deno.open(to, { write: true, createNew: true, mode: FILE_MODE });
  const hash = createHash("sha256");
  let sizeBytes = 0;
  for await (const chunk of chunksOf(from)) {
    hash.update(chunk);
    sizeBytes += chunk.length;
    for (let rest = chunk; rest.length > 0;) rest = rest.subarray(await target.write(rest));
  }
  await target.sync();
  return { path, sizeBytes, sha256: hash.digest("hex") };
}

/** What is known of a file that is there. */
export async function factsOf(
  { folder, path }: { folder: string; path: string },
): Promise<FileFacts> {
  const hash = createHash("sha256");
  let sizeBytes = 0;
  for await (const chunk of chunksOf(`${folder}/${path}`)) {
    hash.update(chunk);
    sizeBytes += chunk.length;
  }
  return { path, sizeBytes, sha256: hash.digest("hex") };
}

/**
 * A link would bring in a file of somebody else, and a pipe would never end.
 *
 * @throws Error for what is no plain file.
 */
async function* chunksOf(path: string): AsyncGenerator<Uint8Array> {
  if (!(await Deno.lstat(path)).isFile) throw new Error("it is a link or not a file");
  using file = await Deno.open(path);
  const chunk = new Uint8Array(CHUNK_BYTES);
  for (;;) {
    const length = await file.read(chunk);
    if (length === null) return;
    yield chunk.subarray(0, length);
  }
}

/**
 * The files of a data folder beside the queue: keys and users, pauses, what is known of other
 * domains. Nothing that only one process or one moment needs.
 */
export async function stateFiles(dataDir: string): Promise<string[]> {
  const found: string[] = [];
  const walk = async (folder: string): Promise<void> => {
    for await (const { name, isDirectory, isFile } of Deno.readDir(`${dataDir}/${folder}`)) {
      const path = `${folder}${name}`;
      if (isPassed(path)) continue;
      if (isDirectory) await walk(`${path}/`);
      else if (isFile) found.push(path);
    }
  };
  await walk("");
  return found.sort();
}

function isPassed(path: string): boolean {
  return path.startsWith(DATABASE_FILE) || path.startsWith(ASIDE_PREFIX) ||
    [LOCK_FILE, LOCAL_KEY_FILE, SPOOL_FOLDER, OWNERS_FOLDER, HOLD_FOLDER].includes(path) ||
    /\.(?:sock|tmp)$/.test(path);
}

function parentOf(path: string): string {
  return path.replace(/\/[^/]*$/, "");
}
