import type { NewMessage, SpoolWriter, StoreError } from "../store.ts";
import { storeError } from "./failure.ts";
import type { OpenFile } from "./files.ts";
import { syncFolder } from "./folder.ts";
import { becomeOwner, knownOwners, ownerOf, type SpoolOwner, takeOverFrom } from "./spool_owner.ts";

/**
 * The spool folder as one process writes it. A file is pending from its first octet until the
 * store has taken it, refused it, or its writer discarded it; what is not pending, and is named by
 * no message, is removed.
 */
export class Spool {
  readonly #folder: string;
  readonly #ownersFolder: string;
  readonly #openFile: OpenFile;
  readonly #pending = new Set<string>();
  #owner: Promise<SpoolOwner> | null = null;
  #files = 0;
  /** Whether files may be left that nothing refers to. */
  #isUntidy = false;

  /** `ownersFolder` has a file for each process that writes into `folder`. */
  constructor({ folder, ownersFolder, openFile }: {
    folder: string;
    ownersFolder: string;
    openFile: OpenFile;
  }) {
    this.#openFile = openFile;
    this.#folder = folder;
    this.#ownersFolder = ownersFolder;
  }

  /** Starts a file; it is made with the first write. */
  writer(): SpoolWriter {
    return new SpoolFile({
      ...{ folder: this.#folder, openFile: this.#openFile },
      open: () => this.#open(),
      discard: (name) => this.#discard(name),
    });
  }

  /** Messages were stored: what they name is the store's. */
  keep(messages: readonly NewMessage[]): void {
    for (const name of namesOf(messages)) this.#pending.delete(name);
  }

  /** Messages were not stored, as far as is known: removes what they name. */
  async refuse(messages: readonly NewMessage[], { mayBeDone }: StoreError): Promise<void> {
    for (const name of namesOf(messages)) {
      if (mayBeDone) {
        this.#pending.delete(name);
        this.#isUntidy = true;
      } else {
        await this.#discard(name).catch(() => {}); // It is found the next time that all is cleared.
      }
    }
  }

  /**
   * Removes files that no message names and none ever will: those of processes that died, and
   * those of this one that are not pending. With `isNew` all files are looked at, otherwise only
   * where there is reason to.
   *
   * @param known reads which files messages name.
   */
  async clear(
    { isNew, known }: { isNew: boolean; known: () => Promise<readonly string[]> },
  ): Promise<void> {
    const own = (await this.#owner)?.name;
    const named = await knownOwners(this.#ownersFolder);
    const others = named.filter((name) => name !== own);
    if (!isNew && !this.#isUntidy && others.length === 0) return;
    const files = await filesIn(this.#folder);
    // Behind the list: a file in it that is not pending now was taken or given up by now.
    const pending = new Set(this.#pending);
    const owners = new Set([...others, ...files.flatMap((name) => ownerOf(name) ?? [])]);
    if (own !== undefined) owners.delete(own);
    await using dead = new AsyncDisposableStack();
    const living = new Set<string>();
    for (const name of owners) {
      const taken = await takeOverFrom(this.#ownersFolder, { name, openFile: this.#openFile });
      if (taken === null) living.add(name);
      else dead.defer(() => taken.end());
    }
    if (!isNew && !this.#isUntidy && living.size === owners.size) return;
    this.#isUntidy = false;
    // Read only now: nobody but the living, who are passed over, can add to it any more.
    const keep = new Set(await known());
    for (const name of files) {
      if (keep.has(name) || pending.has(name) || living.has(ownerOf(name) ?? "")) continue;
      await this.#remove(name);
    }
  }

  /** Ends the owner; what is pending is left to the next one who clears the folder. */
  async close(): Promise<void> {
    const owner = await this.#owner?.catch(() => null);
    await owner?.end();
  }

  async #open(): Promise<{ name: string; file: Deno.FsFile }> {
    this.#owner ??= becomeOwner(this.#ownersFolder, this.#openFile).catch((error) => {
      this.#owner = null;
      throw error;
    });
    const name = `${(await this.#owner).name}-${++this.#files}.eml`;
    const options = { write: true, createNew: true, mode: 0o600 };
    this.#pending.add(name);
    try {
      return { name, file: await this.#openFile(`${this.#folder}/${name}`, options) };
    } catch (error) {
      this.#pending.delete(name);
      throw error;
    }
  }

  async #discard(name: string): Promise<void> {
    if (this.#pending.delete(name)) await this.#remove(name);
  }

  async #remove(name: string): Promise<void> {
    try {
      await Deno.remove(`${this.#folder}/${name}`);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return;
      this.#isUntidy = true;
      throw storeError("remove a spool file", error);
    }
  }
}

function namesOf(messages: readonly NewMessage[]): string[] {
  return messages.flatMap(({ place }) => place.kind === "spool" ? [place.name] : []);
}

async function filesIn(folder: string): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const { name, isFile } of Deno.readDir(folder)) if (isFile) names.push(name);
    return names;
  } catch (error) {
    throw storeError("clear the spool folder", error);
  }
}

interface SpoolFileOptions {
  readonly folder: string;
  readonly openFile: OpenFile;
  readonly open: () => Promise<{ name: string; file: Deno.FsFile }>;
  readonly discard: (name: string) => Promise<void>;
}

class SpoolFile implements SpoolWriter {
  readonly #options: SpoolFileOptions;
  #name: string | null = null;
  #file: Deno.FsFile | null = null;

  constructor(options: SpoolFileOptions) {
    this.#options = options;
  }

  async write(chunk: Uint8Array): Promise<void> {
    try {
      const { file } = await this.#opened();
      let rest = chunk;
      while (rest.length > 0) rest = rest.subarray(await file.write(rest));
    } catch (error) {
      throw storeError("write a spool file", error);
    }
  }

  async finish(): Promise<string> {
    try {
      const { name, file } = await this.#opened();
      await file.sync();
      this.#close();
      await syncFolder(this.#options.folder, this.#options.openFile);
      return name;
    } catch (error) {
      throw storeError("finish a spool file", error);
    }
  }

  async discard(): Promise<void> {
    this.#close();
    if (this.#name !== null) await this.#options.discard(this.#name);
  }

  async #opened(): Promise<{ name: string; file: Deno.FsFile }> {
    if (this.#file !== null && this.#name !== null) return { name: this.#name, file: this.#file };
    const { name, file } = await this.#options.open();
    this.#name = name;
    this.#file = file;
    return { name, file };
  }

  #close(): void {
    this.#file?.close();
    this.#file = null;
  }
}
