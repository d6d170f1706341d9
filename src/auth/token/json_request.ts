import type { Clock } from "../../base/clock.ts";
import { concatBytes, decodeText } from "../../base/bytes.ts";

/** Makes HTTP requests: the runtime's `fetch`, or a test's. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** What a request for JSON needs. */
export interface JsonRequest {
  readonly url: string;
  readonly init: RequestInit;
  readonly fetch: Fetch;
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** What a request for JSON came to. */
export type JsonAnswer =
  | { readonly kind: "ok"; readonly value: Readonly<Record<string, unknown>> }
  | { readonly kind: "failed"; readonly cause: string };

const BODY_LIMIT_BYTES = 1 << 20;

/** Asks for a JSON object. Redirects are not followed: they would take secrets elsewhere. */
export async function requestJson(request: JsonRequest): Promise<JsonAnswer> {
  const { url, init, fetch, clock, timeoutMs, signal } = request;
  const timeout = new AbortController();
  const cancel = clock.schedule(timeoutMs, () => timeout.abort(new Error("no answer in time")));
  const both = AbortSignal.any([timeout.signal, signal]);
  try {
    const response = await fetch(url, { ...init, redirect: "error", signal: both });
    return await readAnswer(response);
  } catch (error) {
    const reason = timeout.signal.aborted ? timeout.signal.reason : error;
    return failed(reason instanceof Error ? reason.message : String(reason));
  } finally {
    cancel();
  }
}

async function readAnswer(response: Response): Promise<JsonAnswer> {
  if (response.status !== 200) {
    await response.body?.cancel();
    return failed(`status ${response.status}`);
  }
  const body = await readBounded(response);
  if (body === null) return failed(`more than ${BODY_LIMIT_BYTES} octets`);
  const value = jsonObject(decodeText(body));
  return value === null ? failed("not a JSON object") : { kind: "ok", value };
}

/** All of the body; null where it is larger than anything of this kind. */
async function readBounded(response: Response): Promise<Uint8Array | null> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of response.body ?? []) {
    sizeBytes += chunk.length;
    if (sizeBytes > BODY_LIMIT_BYTES) return null; // leaving the loop cancels the body
    chunks.push(chunk);
  }
  return concatBytes(chunks);
}

/** Reads a JSON object; null for anything else. */
export function jsonObject(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

/** Whether a JSON value is an object. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function failed(cause: string): JsonAnswer {
  return { kind: "failed", cause };
}
