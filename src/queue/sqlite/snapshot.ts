import { StoreError } from "../store.ts";
import type { DatabaseFacts } from "./inspect.ts";
import type { Request, Response } from "./protocol.ts";

export type { DatabaseFacts };

type Inspection = Extract<Request, { kind: "snapshot" | "inspect" }>;

/**
 * Copies a queue's database, or looks through one for damage, in a worker that ends with it.
 *
 * @throws StoreError as `snapshotDatabase`.
 */
export async function inspectQueue(
  request: Inspection,
  { workerUrl }: { workerUrl: string | URL },
): Promise<DatabaseFacts> {
  const worker = new Worker(workerUrl, { type: "module", name: "posthouse-queue-inspect" });
  try {
    return await new Promise((resolve, reject) => {
      worker.onmessage = ({ data }: MessageEvent<Response>) => {
        if (data.kind === "inspected") resolve(data.facts);
        else if (data.kind === "failed") {
          reject(new StoreError(data.failure.kind, data.failure.message));
        }
      };
      worker.onerror = (event) => {
        event.preventDefault();
        reject(new StoreError("unavailable", `Cannot look at the queue: ${event.message}`));
      };
      worker.postMessage(request);
    });
  } finally {
    worker.terminate();
  }
}
