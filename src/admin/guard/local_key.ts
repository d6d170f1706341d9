import type { Random } from "../../base/random.ts";
import { newSecret } from "./secrets.ts";

/** The file of the local key in the data folder. */
export const LOCAL_KEY_FILE = "local.key";

/**
 * A key that is new at each start and stands in a file that only the relay's own user can read.
 * Anyone who can read it owns the queue anyway; the command line on this machine signs in with it.
 */
export class LocalKey implements AsyncDisposable {
  readonly secret: string;
  readonly #path: string;

  private constructor(path: string, secret: string) {
    this.#path = path;
    this.secret = secret;
  }

  /**
   * Makes one and writes it into a data folder.
   *
   * @throws Deno.errors when the folder cannot be written.
   */
  static async make(
    { dataDir, random }: { dataDir: string; random: Random },
  ): Promise<LocalKey> {
    const secret = newSecret(random);
    const path = `${dataDir}/${LOCAL_KEY_FILE}`;
    const draft = `${path}.new`;
    await Deno.mkdir(dataDir, { recursive: true, mode: 0o700 });
    // A draft that somebody else made before keeps its owner and its mode.
    await Deno.remove(draft).catch(() => {});
    await Deno.writeTextFile(draft, `${secret}\n`, { mode: 0o600, createNew: true });
    await Deno.rename(draft, path);
    return new LocalKey(path, secret);
  }

  /** Takes the file away. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#path).catch(() => {});
  }
}
