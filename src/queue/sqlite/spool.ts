import type { BodyOptions, SpoolWriter } from "../store.ts";
import { storeError } from "./failure.ts";
import { syncFolder } from "./folder.ts";

const NAME_BYTES = 16;
const CHUNK_BYTES = 64 * 1024;

/** Starts a file in the spool folder; it is made with the first write. */
export function spoolWriter(folder: string): SpoolWriter {
  return new SpoolFile(folder);
}

class SpoolFile implements SpoolWriter {
  readonly #folder: string;
  readonly #name = `${randomName()}.eml`;
  #file: Deno.FsFile | null = null;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async write(chunk: Uint8Array): Promise<void> {
    try {
      const file = await this.#open();
      let rest = chunk;
      while (rest.length > 0) rest = rest.subarray(await file.write(rest));
    } catch (error) {
      throw storeError("write a spool file", error);
    }
  }

  async finish(): Promise<string> {
    try {
      const file = await this.#open();
      await file.sync();
      this.#close();
      await syncFolder(this.#folder);
      return this.#name;
    } catch (error) {
      throw storeError("finish a spool file", error);
    }
  }

  async discard(): Promise<void> {
    this.#close();
    await removeSpooled(this.#folder, this.#name);
  }

  async #open(): Promise<Deno.FsFile> {
    this.#file ??= await Deno.open(`${this.#folder}/${this.#name}`, {
      write: true,
      createNew: true,
      mode: 0o600,
    });
    return this.#file;
  }

  #close(): void {
    this.#file?.close();
    this.#file = null;
  }
}

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

/** Removes the spool files whose names are not among `known`: nobody will ever ask for them. */
export async function removeOrphans(folder: string, known: readonly string[]): Promise<void> {
  const keep = new Set(known);
  try {
    for await (const { name, isFile } of Deno.readDir(folder)) {
      if (isFile && !keep.has(name)) await removeSpooled(folder, name);
    }
  } catch (error) {
    throw storeError("clear the spool folder", error);
  }
}

async function removeSpooled(folder: string, name: string): Promise<void> {
  try {
    await Deno.remove(`${folder}/${name}`);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw storeError("remove a spool file", error);
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

function randomName(): string {
  return crypto.getRandomValues(new Uint8Array(NAME_BYTES)).toHex();
}
