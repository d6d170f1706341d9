import { openStore } from "../../app/store.ts";
import { systemClock } from "../../base/clock.ts";
import type { Config } from "../../config/schema.ts";
import { makeFolders, takeLock } from "../../queue/sqlite/folder.ts";
import { StoreError } from "../../queue/store.ts";
import { type Command, type Invocation, JSON_FLAG } from "../command.ts";
import { configOrProblems } from "../configuration.ts";
import { EXIT, type ExitCode, writeJson } from "../io.ts";
import { ProgressBar } from "../progress.ts";
import { QUEUE_FLAGS } from "../queue/open.ts";
import { counted, printable } from "../text.ts";
import { type Manifest, readManifest } from "./manifest.ts";
import { backupProblems, copyBackup, occupants, putAside } from "./restore_files.ts";

/** Puts a backup in the place of a relay's data folder. */
export const restoreCommand: Command = {
  name: "restore",
  summary: "Restore a backup into the data folder of a stopped relay.",
  operands: "FOLDER",
  details: "Checks every file of the backup before it changes anything. Existing data is not " +
    "overwritten: --force moves it into a subfolder of the data folder. Messages delivered " +
    "after the backup was made are still queued in it and are sent again. --hold holds all " +
    "messages until you release them.",
  flags: [
    { name: "hold", kind: "switch", help: "Hold all messages until they are released." },
    { name: "force", kind: "switch", help: "Move existing data into a subfolder." },
    { name: "check", kind: "switch", help: "Check the backup without changing anything." },
    ...QUEUE_FLAGS,
    JSON_FLAG,
  ],
  examples: [
    { command: "restore /srv/backup/posthouse-monday --check", does: "Check the backup" },
    { command: "restore /srv/backup/posthouse-monday --hold", does: "Restore without sending yet" },
  ],
  run: restore,
};

async function restore(invocation: Invocation): Promise<ExitCode> {
  const { io, flags, operands: [folder, ...more] } = invocation;
  if (folder === undefined || more.length > 0) {
    io.err("Name one backup folder.\n");
    return EXIT.usage;
  }
  const config = await configOrProblems(io, flags, ["data_dir"]);
  if (config === null) return EXIT.usage;
  const target = { ...config, dataDir: flags.text("data-dir") ?? config.dataDir };
  try {
    return await restoreFrom(invocation, { folder, target });
  } catch (error) {
    // The runtime gives the errors of files a code, as `ENOSPC`.
    const isExpected = error instanceof StoreError || error instanceof Error && "code" in error;
    if (!isExpected) throw error;
    io.err(`Cannot restore: ${error.message}\n`);
    return EXIT.failed;
  }
}

async function restoreFrom(
  invocation: Invocation,
  { folder, target }: { folder: string; target: Config },
): Promise<ExitCode> {
  const { io, flags } = invocation;
  const manifest = await readManifest(folder);
  const problems = typeof manifest === "string"
    ? [manifest]
    : await checked(invocation, { folder, manifest });
  if (typeof manifest === "string" || problems.length > 0) {
    for (const problem of problems) io.err(`${printable(problem)}\n`);
    io.err("The backup is unusable. Nothing was changed.\n");
    return EXIT.failed;
  }
  if (flags.switch("check")) {
    tell(invocation, { manifest, held: 0, aside: null });
    return EXIT.ok;
  }
  return await putBack(invocation, { folder, target, manifest });
}

async function checked(
  { io }: Invocation,
  { folder, manifest }: { folder: string; manifest: Manifest },
): Promise<string[]> {
  using bar = new ProgressBar(io, { label: "Checking" });
  return await backupProblems(folder, {
    manifest,
    onProgress: (done, total) => bar.update(done, total),
  });
}

async function putBack(
  invocation: Invocation,
  { folder, target, manifest }: { folder: string; target: Config; manifest: Manifest },
): Promise<ExitCode> {
  const { io, flags } = invocation;
  const { dataDir } = target;
  await Deno.mkdir(dataDir, { recursive: true, mode: 0o700 });
  using _lock = await takeLock(dataDir); // a relay that runs has it
  const isEmpty = (await occupants(dataDir)).length === 0;
  if (!isEmpty && !flags.switch("force")) {
    io.err(
      `${dataDir} is not empty. Nothing was changed. Use --force to move its content aside.\n`,
    );
    return EXIT.failed;
  }
  const aside = isEmpty ? null : await putAside(dataDir, Date.now());
  {
    using bar = new ProgressBar(io, { label: "Restoring" });
    const onProgress = (done: number, total: number): void => bar.update(done, total);
    await makeFolders(dataDir);
    await copyBackup(folder, { dataDir, manifest, onProgress });
  }
  const held = flags.switch("hold") ? await holdAll(target) : 0;
  tell(invocation, { manifest, held, aside });
  return EXIT.ok;
}

async function holdAll(target: Config): Promise<number> {
  await using store = await openStore(target, { clock: systemClock, mode: "tool" });
  return await store.command({
    ...{ filter: { states: ["queued"] }, command: { kind: "hold" } },
    ...{ nowMs: Date.now(), by: "command line" },
  });
}

function tell(
  { io, flags }: Invocation,
  { manifest, held, aside }: { manifest: Manifest; held: number; aside: string | null },
): void {
  const { madeAtMs, messages, liveMessages, files } = manifest;
  const isCheck = flags.switch("check");
  if (flags.switch("json")) {
    writeJson(io, {
      checked: files.length,
      restored: !isCheck,
      messages,
      liveMessages,
      held,
      aside,
    });
    return;
  }
  const made = new Date(madeAtMs).toISOString();
  const what = `${counted(messages, "message")}, ${liveMessages.toLocaleString("en")} of them live`;
  if (isCheck) {
    io.out(`The backup of ${made} is intact: ${what}, ${counted(files.length, "file")}.\n`);
    return;
  }
  io.out(`Restored ${what}, as of ${made}.\n`);
  if (aside !== null) io.out(`The previous content is in ${aside} in the data folder.\n`);
  if (held > 0) {
    io.out(`Held ${counted(held, "message")}. Release them with posthouse queue release --all.\n`);
  } else if (liveMessages > 0) io.out("Messages delivered since then will be sent again.\n");
}
