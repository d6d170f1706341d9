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

/** The flags that say which queue is meant. */
export const QUEUE_FLAGS: readonly Flag[] = [
  CONFIG_FLAG,
  { name: "data-dir", kind: "text", value: "FOLDER", help: "Folder of the queue; the config's." },
];

/**
 * Opens the queue, beside a running relay or without one, for the time of `use`. Trouble with
 * the store is told in one line.
 */
export async function withQueue(
  { io, flags }: { io: CliIo; flags: FlagValues },
  use: (store: QueueStore) => Promise<ExitCode>,
): Promise<ExitCode> {
  const config = await configOrProblems(io, flags);
  if (config === null) return EXIT.usage;
  const dataDir = flags.text("data-dir") ?? config.dataDir;
  const obstacle = await obstacleOf({ ...config, dataDir });
  if (obstacle !== null) {
    io.err(`${obstacle}\n`);
    return EXIT.failed;
  }
  try {
    await using store = await openStore({ ...config, dataDir }, {
      clock: systemClock,
      mode: "tool",
    });
    return await use(store);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    io.err(`${error.message}\n`);
    return EXIT.failed;
  }
}

/** Why there is nothing to open; null when there is. */
async function obstacleOf({ queue, dataDir }: Config): Promise<string | null> {
  if (queue.store === "memory") {
    return `The queue is in the memory of the relay (queue.store = "memory").`;
  }
  return await exists(`${dataDir}/${DATABASE_FILE}`)
    ? null
    : `There is no queue in ${dataDir} yet.`;
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
