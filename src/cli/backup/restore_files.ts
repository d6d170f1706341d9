import { storeWorkerUrl } from "../../app/store.ts";
import { DATABASE_FILE, LOCK_FILE, syncFolder } from "../../queue/sqlite/folder.ts";
import { type DatabaseFacts, inspectQueue } from "../../queue/sqlite/snapshot.ts";
import { StoreError } from "../../queue/store.ts";
import { ASIDE_PREFIX, copyFile, factsOf } from "./files.ts";
import type { Manifest } from "./manifest.ts";

type OnProgress = (done: number, total: number) => void;

/** Everything that is wrong with a backup; empty when it can be restored. */
export async function backupProblems(
  folder: string,
  { manifest, onProgress }: { manifest: Manifest; onProgress: OnProgress },
): Promise<string[]> {
  const problems: string[] = [];
  for (const [index, file] of manifest.files.entries()) {
    const problem = await fileProblem(folder, file);
    if (problem !== null) problems.push(`${file.path}: ${problem}`);
    onProgress(index + 1, manifest.files.length);
  }
  return problems.length > 0 ? problems : await databaseProblems(folder, manifest);
}

async function fileProblem(
  folder: string,
  { path, sizeBytes, sha256 }: Manifest["files"][number],
): Promise<string | null> {
  try {
    const facts = await factsOf({ folder, path });
    if (facts.sizeBytes !== sizeBytes) {
      return `it has ${facts.sizeBytes} octets, expected ${sizeBytes}`;
    }
    return facts.sha256 === sha256 ? null : "its octets have changed";
  } catch (error) {
    return error instanceof Deno.errors.NotFound ? "it is missing" : messageOf(error);
  }
}

async function databaseProblems(folder: string, manifest: Manifest): Promise<string[]> {
  const facts = await inspected(`${folder}/${DATABASE_FILE}`);
  if (typeof facts === "string") return [facts];
  const files = new Set(manifest.files.map(({ path }) => path));
  const missing = facts.spool.filter((name) => !files.has(`spool/${name}`));
  if (facts.messages !== manifest.messages) {
    return [`the queue has ${facts.messages} messages, expected ${manifest.messages}`];
  }
  return missing.map((name) => `spool/${name} is missing in the backup`);
}

async function inspected(path: string): Promise<DatabaseFacts | string> {
  try {
    return await inspectQueue({ kind: "inspect", path }, { workerUrl: storeWorkerUrl() });
  } catch (error) {
    if (error instanceof StoreError) return error.message;
    throw error;
  }
}

/** What is in a folder already, but the lock of the relay that owned it. */
export async function occupants(dataDir: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(dataDir)) {
    if (name !== LOCK_FILE && !name.startsWith(ASIDE_PREFIX)) names.push(name);
  }
  return names;
}

/** Puts what is in a data folder aside, in a folder within it, and returns its name. */
export async function putAside(dataDir: string, atMs: number): Promise<string> {
  const name = `${ASIDE_PREFIX}${new Date(atMs).toISOString().replaceAll(/[:.]/g, "-")}`;
  await Deno.mkdir(`${dataDir}/${name}`, { mode: 0o700 });
  for (const occupant of await occupants(dataDir)) {
    await Deno.rename(`${dataDir}/${occupant}`, `${dataDir}/${name}/${occupant}`);
  }
  await syncFolder(dataDir);
  return name;
}

/** Copies the files of a backup into a data folder, the database last. */
export async function copyBackup(
  folder: string,
  { dataDir, manifest, onProgress }: {
    dataDir: string;
    manifest: Manifest;
    onProgress: OnProgress;
  },
): Promise<void> {
  // Without its database the folder is no queue, so one that was not finished is not used.
  const ordered = manifest.files.toSorted((a, b) => rank(a.path) - rank(b.path));
  const folders = new Set<string>();
  for (const [index, { path, sha256 }] of ordered.entries()) {
    const copied = await copyFile(`${folder}/${path}`, { folder: dataDir, path });
    if (copied.sha256 !== sha256) {
      throw new StoreError("corrupt", `Cannot restore ${path}: it changed while being read`);
    }
    folders.add(`${dataDir}/${path}`.replace(/\/[^/]*$/, ""));
    onProgress(index + 1, ordered.length);
  }
  for (const each of folders) await syncFolder(each);
}

function rank(path: string): number {
  return path === DATABASE_FILE ? 1 : 0;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
