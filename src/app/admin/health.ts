import { statfs } from "node:fs/promises";
import type { HealthCheck, HealthPort } from "../../admin/ports.ts";
import { formatDuration, formatSize } from "../../observe/quantities.ts";
import type { RelayParts } from "./parts.ts";
import type { StallWatch } from "./stall_watch.ts";

/** Less than this left on the queue's disk is trouble. */
const LEAST_DISK_BYTES = 100 * 1024 * 1024;
/** A store that takes longer to answer does not work. */
const PATIENCE_MS = 5_000;

/** Answers whether the relay can work, for the admin API and anyone who restarts services. */
export function healthPort(parts: RelayParts, stall: StallWatch): HealthPort {
  return {
    check: () =>
      Promise.all([
        storeCheck(parts),
        diskCheck(parts),
        Promise.resolve(listenersCheck(parts)),
        Promise.resolve(schedulerCheck(stall, parts)),
      ]),
  };
}

/** Goes through the writer, so that a reader that still answers hides nothing. */
async function storeCheck({ store, clock }: RelayParts): Promise<HealthCheck> {
  const name = "store";
  const patience = Promise.withResolvers<"late">();
  const cancel = clock.schedule(PATIENCE_MS, () => patience.resolve("late"));
  try {
    const asked = store.renew({ owner: "health", messageIds: [], untilMs: clock.now() });
    const answer = await Promise.race([asked, patience.promise]);
    return answer === "late"
      ? { name, ok: false, detail: `The queue has not answered for ${PATIENCE_MS / 1000} s.` }
      : { name, ok: true, detail: "The queue accepts changes." };
  } catch (error) {
    return { name, ok: false, detail: error instanceof Error ? error.message : String(error) };
  } finally {
    cancel();
  }
}

async function diskCheck({ config }: RelayParts): Promise<HealthCheck> {
  const name = "disk";
  const { queue, dataDir } = config();
  if (queue.store === "memory") return { name, ok: true, detail: "The queue is in memory." };
  try {
    const { bavail, bsize } = await statfs(dataDir);
    const leftBytes = bavail * bsize;
    return {
      name,
      ok: leftBytes >= LEAST_DISK_BYTES,
      detail: `${formatSize(leftBytes)} are left in ${dataDir}.`,
    };
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) {
      return { name, ok: true, detail: "Unknown: the check needs --allow-sys=statfs." };
    }
    const reason = error instanceof Error ? error.message : String(error);
    return { name, ok: false, detail: `Cannot look at the disk: ${reason}` };
  }
}

function listenersCheck({ listeners, config }: RelayParts): HealthCheck {
  const open = listeners();
  const wanted = config().listeners.length;
  const names = open.map((listener) => listener.name).join(", ");
  return {
    name: "listeners",
    ok: open.length >= wanted,
    detail: `${open.length} of ${wanted} listeners are open${names === "" ? "" : `: ${names}`}.`,
  };
}

function schedulerCheck(stall: StallWatch, { clock }: RelayParts): HealthCheck {
  const name = "scheduler";
  const sinceMs = stall.stalledSinceMs;
  if (sinceMs === null) return { name, ok: true, detail: "Delivery is running." };
  const length = formatDuration(clock.now() - sinceMs);
  return { name, ok: false, detail: `Due mail has made no progress for ${length}.` };
}
