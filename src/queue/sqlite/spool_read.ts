import type { BodyOptions } from "../store.ts";
import { storeError } from "./failure.ts";

const CHUNK_BYTES = 64 * 1024;

/** The octets of a spool file in chunks; null when it is not there. */
export async function readSpooled(
  folder: string,
  { name, reuse = false }: BodyOptions & { readonly name: string },
): Promise<AsyncIterable<Uint8Array> | null> {
  const path = `${folder}/${name}`;
  try {
    await Deno.lstat(path);
    return chunksOf(path, { reuse });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw storeError("read a spool file", error);
  }
}

async function* chunksOf(
  path: string,
  { reuse }: { reuse: boolean },
): AsyncGenerator<Uint8Array> {
  try {
    using file = await Deno.open(path);
    let chunk = new Uint8Array(CHUNK_BYTES);
    for (;;) {
      const length = await file.read(chunk);
      if (length === null) return;
      yield chunk.subarray(0, length);
      if (!reuse) chunk = new Uint8Array(CHUNK_BYTES);
    }
  } catch (error) {
    throw storeError("read a spool file", error);
  }
}
