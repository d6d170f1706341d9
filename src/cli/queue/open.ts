import { openStore } from "../../app/store.ts";
import { systemClock } from "../../base/clock.ts";
import type { Config } from "../../config/schema.ts";
import { DATABASE_FILE } from "../../queue/sqlite/folder.ts";
import { type QueueStore, StoreError } from "../../queue/store.ts";
import { configOrProblems } from "../configuration.ts";
import type { Flag } from "../command.ts";
import { CONFIG_FLAG } from "../command.ts";
import type { FlagValues } from "../flags.ts";
import { type CliIo, EXIT, type ExitCode } from "../io.ts";

/** The flag that names the folder of the queue. */
export const DATA_DIR_FLAG: Flag = {
  name: "data-dir",
  kind: "text",
  value: "FOLDER",
  help: "Data folder. Default: data_dir of the config.",
};

/** The flags that say which queue on this machine is meant. */
export const QUEUE_FLAGS: readonly Flag[] = [CONFIG_FLAG, DATA_DIR_FLAG];

/**
 * Opens the queue, beside a running relay or without one, for the time of `use`. Trouble with the
 * store is told in one line. A queue that is not there yet is told too, unless `missing` says to
 * make it, or to use one in memory.
 */
export async function withQueue(
  { io, flags }: { io: CliIo; flags: FlagValues },
  use: (store: QueueStore, config: Config) => Promise<ExitCode>,
  { missing = "tell" }: { missing?: "tell" | "make" | "memory" } = {},
): Promise<ExitCode> {
  const config = await configOrProblems(io, flags, ["data_dir", "queue"]);
  if (config === null) return EXIT.usage;
  const dataDir = flags.text("data-dir") ?? config.dataDir;
  if (config.queue.store === "memory") {
    io.err(`Cannot open the queue: it is in the memory of the relay (queue.store = "memory").\n`);
    return EXIT.failed;
  }
  const isMissing = !await exists(`${dataDir}/${DATABASE_FILE}`);
  if (isMissing && missing === "tell") {
    io.err(`There is no queue in ${dataDir} yet.\n`);
    return EXIT.failed;
  }
  const queue = isMissing && missing === "memory"
    ? { ...config.queue, store: "memory" as const }
    : config.queue;
  const used = { ...config, dataDir, queue };
  try {
    await using store = await openStore(used, { clock: systemClock, mode: "tool" });
    return await use(store, used);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    io.err(`${error.message}\n`);
    return EXIT.failed;
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
