import { concatBytes } from "../base/bytes.ts";
import type { Clock } from "../base/clock.ts";

/** The body of a request, or why there is none. */
export type RequestBody =
  | { readonly kind: "read"; readonly octets: Uint8Array<ArrayBuffer> }
  | { readonly kind: "too_long" }
  /** It did not come in time. */
  | { readonly kind: "late" };

/**
 * Reads the body of a request, no further than `limitBytes` and no longer than `timeoutMs`.
 *
 * @throws what the connection throws when it breaks.
 */
export async function requestBody(
  { headers, body }: Request,
  { limitBytes, timeoutMs, clock }: { limitBytes: number; timeoutMs: number; clock: Clock },
): Promise<RequestBody> {
  if (body === null) return { kind: "read", octets: new Uint8Array() };
  if (Number(headers.get("content-length") ?? 0) > limitBytes) {
    await body.cancel();
    return { kind: "too_long" };
  }
  const timeUp = new AbortController();
  const cancel = clock.schedule(timeoutMs, () => timeUp.abort());
  try {
    return await readAll(body, { limitBytes, timeUp: timeUp.signal });
  } finally {
    cancel();
  }
}

async function readAll(
  body: ReadableStream<Uint8Array>,
  { limitBytes, timeUp }: { limitBytes: number; timeUp: AbortSignal },
): Promise<RequestBody> {
  const reader = body.getReader();
  const leave = (): Promise<void> => reader.cancel().catch(() => {});
  timeUp.addEventListener("abort", leave); // which ends the read that waits
  const chunks: Uint8Array[] = [];
  let lengthBytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (timeUp.aborted) return { kind: "late" };
    if (done) return { kind: "read", octets: concatBytes(chunks) };
    lengthBytes += value.length;
    if (lengthBytes > limitBytes) {
      await leave();
      return { kind: "too_long" };
    }
    chunks.push(value);
  }
}
