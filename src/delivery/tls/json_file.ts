/** A JSON file that is there whole or not at all, whatever happens while it is written. */
export class JsonFile {
  readonly #path: string;
  #writing: Promise<void> = Promise.resolve();

  constructor(path: string) {
    this.#path = path;
  }

  /** The value; undefined when there is none or it cannot be read. */
  async read(): Promise<unknown> {
    try {
      return JSON.parse(await Deno.readTextFile(this.#path));
    } catch {
      return undefined; // what is kept here can be found out again
    }
  }

  /** Replaces the value, after what is being written. Throws when it cannot be kept. */
  write(value: unknown): Promise<void> {
    const text = JSON.stringify(value);
    const written = this.#writing.then(() => this.#replace(text));
    this.#writing = written.catch(() => {}); // told to whoever wrote it
    return written;
  }

  /** The name is that of the old file until the new one is on disk. */
  async #replace(text: string): Promise<void> {
    const draft = `${this.#path}.new`;
    {
      using file = await Deno.open(draft, {
        ...{ write: true, create: true, truncate: true },
        mode: 0o600,
      });
      await writeAll(file, new TextEncoder().encode(text));
      await file.syncData();
    }
    await Deno.rename(draft, this.#path);
  }
}

async function writeAll(file: Deno.FsFile, octets: Uint8Array): Promise<void> {
  for (let written = 0; written < octets.length;) {
    written += await file.write(octets.subarray(written));
  }
}
