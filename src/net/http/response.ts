import type { ServerResponse } from "node:http";
import { setImmediate } from "node:timers";

/** Statuses whose answers have no body (RFC 9110 section 6.4.1). */
const WITHOUT_BODY: ReadonlySet<number> = new Set([204, 205, 304]);

/** Writes an answer of the Fetch standard; resolves when the last of it is handed on. */
export async function writeResponse(
  out: ServerResponse,
  { response, isHead }: { response: Response; isHead: boolean },
): Promise<void> {
  const { body } = response;
  if (isHead || body === null || WITHOUT_BODY.has(response.status)) {
    writeHead(out, response, body === null && !isHead ? 0 : null);
    out.end();
    await body?.cancel();
    return;
  }
  const reader = body.getReader();
  const leave = (): void => void reader.cancel().catch(() => {}); // it ends anyway
  out.once("close", leave);
  try {
    const first = await reader.read();
    const second = reader.read();
    second.catch(() => {}); // awaited below, or the answer is over
    const next = await Promise.race([second, nextTurn()]);
    if (first.value !== undefined && next?.done === true) {
      writeHead(out, response, first.value.length);
      out.end(first.value);
      return;
    }
    writeHead(out, response, first.done ? 0 : null);
    for (let part = first; !part.done && !out.destroyed;) {
      if (!out.write(part.value)) await drained(out);
      part = part === first ? await second : await reader.read();
    }
    out.end();
  } finally {
    out.off("close", leave);
    if (out.destroyed) leave();
  }
}

function writeHead(out: ServerResponse, response: Response, lengthBytes: number | null): void {
  const fields: string[] = [];
  for (const [name, value] of response.headers) fields.push(name, value);
  if (lengthBytes !== null && !response.headers.has("content-length")) {
    if (!WITHOUT_BODY.has(response.status)) fields.push("content-length", String(lengthBytes));
  }
  out.writeHead(response.status, fields);
}

/** Null, once everything that is ready had its turn: a body that is all there has ended by then. */
function nextTurn(): Promise<null> {
  return new Promise((resolve) => setImmediate(() => resolve(null)));
}

function drained(out: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      out.off("drain", end).off("close", end);
      resolve();
    };
    out.on("drain", end).on("close", end);
  });
}
