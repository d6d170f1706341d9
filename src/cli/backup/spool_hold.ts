import { SPOOL_FOLDER } from "../../queue/sqlite/folder.ts";
import { HOLD_FOLDER } from "./files.ts";

const LOCK = "lock";

/**
 * Keeps spool files in place while a backup copies them: a second name for each, in a folder
 * beside the spool, so that a relay may remove its own.
 */
export class SpoolHold implements AsyncDisposable {
  readonly #spool: string;
  readonly #folder: string;
  readonly #lock: Deno.FsFile;

  private constructor(dataDir: string, lock: Deno.FsFile) {
    this.#spool = `${dataDir}/${SPOOL_FOLDER}`;
    this.#folder = `${dataDir}/${HOLD_FOLDER}`;
    this.#lock = lock;
  }

  /**
   * Begins with nothing held; what a backup left behind that was killed is removed. Null when
   * another backup is under way.
   */
  static async open(dataDir: string): Promise<SpoolHold | null> {
    const folder = `${dataDir}/${HOLD_FOLDER}`;
    await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
    const lock = await Deno.open(`${folder}/${LOCK}`, { write: true, create: true, mode: 0o600 });
    if (!await lock.tryLock(true)) {
      lock.close();
      return null;
    }
    for await (const { name } of Deno.readDir(folder)) {
      if (name !== LOCK) await Deno.remove(`${folder}/${name}`);
    }
    return new SpoolHold(dataDir, lock);
  }

  /** Holds every file that is there now. */
  async takeAll(): Promise<void> {
    for await (const { name, isFile } of Deno.readDir(this.#spool)) {
      if (isFile) await this.#take(name);
    }
  }

  /** The names of those that are gone already. */
  async take(names: readonly string[]): Promise<string[]> {
    const gone: string[] = [];
    for (const name of names) if (!await this.#take(name)) gone.push(name);
    return gone;
  }

  /** Where a held file is. */
  path(name: string): string {
    return `${this.#folder}/${name}`;
  }

  async #take(name: string): Promise<boolean> {
    try {
      await Deno.link(`${this.#spool}/${name}`, this.path(name));
      return true;
    } catch (error) {
      if (error instanceof Deno.errors.AlreadyExists) return true;
      if (error instanceof Deno.errors.NotFound) return false;
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#folder, { recursive: true });
    this.#lock.close();
  }
}
