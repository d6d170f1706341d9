import { DATABASE_FILE } from "../../queue/sqlite/folder.ts";
import { formatSize } from "../../observe/quantities.ts";
import { StoreError } from "../../queue/store.ts";
import { type Command, type Invocation, JSON_FLAG } from "../command.ts";
import { configOrProblems } from "../configuration.ts";
import { EXIT, type ExitCode, writeJson } from "../io.ts";
import { ProgressBar } from "../progress.ts";
import { QUEUE_FLAGS } from "../queue/open.ts";
import { counted } from "../text.ts";
import { VERSION } from "../version.ts";
import { makeBackup } from "./make.ts";
import { type Manifest, writeManifest } from "./manifest.ts";

/** Copies everything that a relay must not lose. */
export const backupCommand: Command = {
  name: "backup",
  summary: "Copy the data folder; the relay may run meanwhile.",
  operands: "FOLDER",
  details: "The backup contains every message accepted before the command started, with its " +
    "content, recipients and timeline, and the users, keys, pauses and other state in " +
    "data_dir. A manifest with checksums is written last: a backup that has one is complete. " +
    "The relay keeps accepting and sending mail. The config file, and files outside data_dir " +
    "that it names, are not included. The backup contains mail and secrets; only its owner " +
    "can read it.",
  flags: [...QUEUE_FLAGS, JSON_FLAG],
  examples: [
    {
      command: "backup /srv/backup/posthouse-monday",
      does: "Write to a folder that does not exist yet",
    },
  ],
  run: backup,
};

async function backup(invocation: Invocation): Promise<ExitCode> {
  const { io, flags, operands: [folder, ...more] } = invocation;
  if (folder === undefined || more.length > 0) {
    io.err("Name one folder for the backup.\n");
    return EXIT.usage;
  }
  const config = await configOrProblems(io, flags, ["data_dir"]);
  if (config === null) return EXIT.usage;
  const dataDir = flags.text("data-dir") ?? config.dataDir;
  try {
    const obstacle = await obstacleOf({ dataDir, folder });
    if (obstacle !== null) {
      io.err(`${obstacle}\n`);
      return EXIT.failed;
    }
    tell(invocation, { folder, manifest: await write(invocation, { dataDir, folder }) });
    return EXIT.ok;
  } catch (error) {
    // The runtime gives the errors of files a code, as `ENOSPC`.
    const isExpected = error instanceof StoreError || error instanceof Error && "code" in error;
    if (!isExpected) throw error;
    io.err(`Cannot make the backup: ${error.message}\n`);
    return EXIT.failed;
  }
}

/** Why no backup can be made; null when one can. Makes the folder. */
async function obstacleOf(
  { dataDir, folder }: { dataDir: string; folder: string },
): Promise<string | null> {
  if (!await isFile(`${dataDir}/${DATABASE_FILE}`)) return `There is no queue in ${dataDir} yet.`;
  await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  const [real, realData] = await Promise.all([Deno.realPath(folder), Deno.realPath(dataDir)]);
  if (`${real}/`.startsWith(`${realData}/`)) {
    return `${folder} is inside the folder to copy; choose another one.`;
  }
  for await (const _ of Deno.readDir(folder)) {
    return `${folder} is not empty; choose an empty or new folder.`;
  }
  return null;
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function write(
  { io }: Invocation,
  { dataDir, folder }: { dataDir: string; folder: string },
): Promise<Manifest> {
  const madeAtMs = Date.now();
  using bar = new ProgressBar(io, { label: "Copying" });
  const { facts, files } = await makeBackup({
    ...{ dataDir, folder },
    onProgress: (done, total) => bar.update(done, total),
  });
  const { schemaVersion, messages, liveMessages } = facts;
  const manifest: Manifest = {
    ...{ version: 1, madeAtMs, hostname: io.hostname(), program: VERSION },
    ...{ schemaVersion, messages, liveMessages, files: [...files] },
  };
  await writeManifest(folder, manifest);
  return manifest;
}

function tell(
  { io, flags }: Invocation,
  { folder, manifest }: { folder: string; manifest: Manifest },
): void {
  const { files, messages, liveMessages } = manifest;
  const sizeBytes = files.reduce((sum, file) => sum + file.sizeBytes, 0);
  if (flags.switch("json")) {
    writeJson(io, { folder, messages, liveMessages, files: files.length, sizeBytes });
    return;
  }
  io.out(
    `Copied ${counted(messages, "message")}, ${liveMessages.toLocaleString("en")} of them ` +
      `live, to ${folder}: ${counted(files.length, "file")}, ${formatSize(sizeBytes)}, ` +
      "verified.\n",
  );
}
