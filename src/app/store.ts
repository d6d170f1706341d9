import type { Clock } from "../base/clock.ts";
import type { Config } from "../config/schema.ts";
import { runtimeSpanSink } from "../observe/traces.ts";
import { openMemoryStore } from "../queue/memory/store.ts";
import { openSqliteStore } from "../queue/sqlite/store.ts";
import type { QueueStore } from "../queue/store.ts";
import { exportsTelemetry } from "./telemetry.ts";
import { tracedStore } from "./traced_store.ts";

/**
 * Opens the queue of a configuration: `relay` to own it, `tool` to look at it and command it
 * while a relay may be running. Where the runtime exports traces (`OTEL_DENO=true`), the relay's
 * own makes them.
 *
 * @throws StoreError as the store does.
 */
export async function openStore(
  config: Config,
  { clock, mode }: { clock: Clock; mode: "relay" | "tool" },
): Promise<QueueStore> {
  const store = await open(config, { clock, mode });
  const isTraced = mode === "relay" && exportsTelemetry();
  return isTraced ? tracedStore(store, { spans: runtimeSpanSink(), now: clock.now }) : store;
}

function open(
  { queue, dataDir }: Config,
  { clock, mode }: { clock: Clock; mode: "relay" | "tool" },
): Promise<QueueStore> {
  const keepsFailed = queue.keepFailedMs > 0;
  if (queue.store === "memory") return Promise.resolve(openMemoryStore({ clock, keepsFailed }));
  const workerUrl = storeWorkerUrl();
  return openSqliteStore({ folder: dataDir, clock, mode, workerUrl, keepsFailed });
}

/** Where the store's worker is; bundled programs have it beside them as JavaScript. */
export function storeWorkerUrl(): URL {
  const isBundled = !import.meta.url.endsWith("/app/store.ts");
  const path = isBundled ? "./queue/sqlite/worker.js" : "../queue/sqlite/worker.ts";
  return new URL(path, import.meta.url);
}
