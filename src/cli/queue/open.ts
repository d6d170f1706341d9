import { openSqliteStore } from "../../queue/sqlite/store.ts";
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
  const place = await queueFolder(io, flags);
  if (typeof place === "number") return place;
  if (!(await exists(`${place}/queue.db`))) {
    io.err(`There is no queue in ${place} yet.\n`);
    return EXIT.failed;
  }
  try {
    await using store = await openSqliteStore({ folder: place, mode: "tool" });
    return await use(store);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    io.err(`${error.message}\n`);
    return EXIT.failed;
  }
}

/** The folder that flags or config name; an exit status when they name none. */
async function queueFolder(io: CliIo, flags: FlagValues): Promise<string | ExitCode> {
  const named = flags.text("data-dir");
  if (named !== undefined) return named;
  const config = await configOrProblems(io, flags);
  if (config === null) return EXIT.usage;
  if (config.queue.store === "sqlite") return config.dataDir;
  io.err(`The queue is in the memory of the relay (queue.store = "memory").\n`);
  return EXIT.failed;
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
