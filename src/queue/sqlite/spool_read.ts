import { type BodyOptions, StoreError } from "../store.ts";
import { storeError } from "./failure.ts";
import type { OpenFile } from "./files.ts";

const CHUNK_BYTES = 64 * 1024;

/** The octets of a spool file from one on, in chunks; null when it is not there. */
export async function readSpooled(
  folder: string,
  { name, openFile, reuse = false, from = 0 }: BodyOptions & {
    readonly name: string;
    readonly openFile: OpenFile;
  },
): Promise<AsyncIterable<Uint8Array> | null> {
  const path = `${folder}/${name}`;
  try {
    const { isFile } = await Deno.lstat(path);
    if (!isFile) throw new StoreError("corrupt", `Cannot read spool file ${name}: it is a link`);
    return chunksOf(path, { reuse, from, openFile });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw storeError("read a spool file", error);
  }
}

async function* chunksOf(
  path: string,
  { reuse, from, openFile }: { reuse: boolean; from: number; openFile: OpenFile },
): AsyncGenerator<Uint8Array> {
  try {
    using file = await openFile(path);
    if (from > 0) await file.seek(from, Deno.SeekMode.Start);
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
