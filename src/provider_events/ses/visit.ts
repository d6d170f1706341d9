import { concatBytes } from "../../base/bytes.ts";
import type { Clock } from "../../base/clock.ts";

/** The runtime's `fetch`, or what a test puts in its place. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

const TIMEOUT_MS = 10_000;
/** Neither a certificate nor the answer to a subscription is longer. */
const LIMIT_BYTES = 64 * 1024;

/**
 * Reads what stands at an address, without following it elsewhere; null when there is nothing to
 * be had, regardless of the cause.
 */
export async function visit(
  address: string,
  { fetch, clock }: { fetch: Fetch; clock: Clock },
): Promise<Uint8Array<ArrayBuffer> | null> {
  const halt = new AbortController();
  const cancel = clock.schedule(TIMEOUT_MS, () => halt.abort());
  try {
    const response = await fetch(address, { redirect: "manual", signal: halt.signal });
    const chunks: Uint8Array[] = [];
    let lengthBytes = 0;
    for await (const chunk of response.body ?? []) {
      lengthBytes += chunk.length;
      if (lengthBytes > LIMIT_BYTES) return null; // leaving the loop cancels the body
      chunks.push(chunk);
    }
    return response.status === 200 ? concatBytes(chunks) : null;
  } catch {
    return null;
  } finally {
    cancel();
  }
}
