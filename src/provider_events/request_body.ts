import { concatBytes } from "../base/bytes.ts";

/**
 * The body of a request; null when it is longer than `limitBytes`, as soon as that shows.
 *
 * @throws what the connection throws when it breaks.
 */
export async function requestBody(
  request: Request,
  { limitBytes }: { limitBytes: number },
): Promise<Uint8Array<ArrayBuffer> | null> {
  if (Number(request.headers.get("content-length") ?? 0) > limitBytes) {
    await request.body?.cancel();
    return null;
  }
  const chunks: Uint8Array[] = [];
  let lengthBytes = 0;
  for await (const chunk of request.body ?? []) {
    lengthBytes += chunk.length;
    if (lengthBytes > limitBytes) return null; // leaving the loop cancels the body
    chunks.push(chunk);
  }
  return concatBytes(chunks);
}
