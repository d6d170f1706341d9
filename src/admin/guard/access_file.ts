import { z } from "zod";
import { KEY_ROLES, ROLES, SENDER_CHECKS } from "../ports.ts";

const keySchema = z.object({
  id: z.string(),
  name: z.string(),
  role: z.enum(KEY_ROLES),
  send: z.boolean().optional(),
  senders: z.array(z.string()).nullable().default(null),
  senderCheck: z.enum(SENDER_CHECKS).default("both"),
  hash: z.string(),
  createdAtMs: z.int(),
  createdBy: z.string(),
  expiresAtMs: z.int().nullable(),
});
/** An API key as the file holds it. */
export type KeptKey = z.output<typeof keySchema>;

const userSchema = z.object({
  name: z.string(),
  role: z.enum(ROLES),
  passwordHash: z.string(),
  createdAtMs: z.int(),
});
/** A user as the file holds it. */
export type KeptUser = z.output<typeof userSchema>;

const fileSchema = z.object({
  version: z.literal(1),
  keys: z.array(keySchema),
  users: z.array(userSchema),
});
/** Keys and users. */
export interface AccessData {
  readonly keys: readonly KeptKey[];
  readonly users: readonly KeptUser[];
}

const NOTHING: AccessData = { keys: [], users: [] };

/** The file with keys and users cannot be used. */
export class AccessFileError extends Error {
  override readonly name = "AccessFileError";
}

/**
 * A file of keys and users that several processes may change: it is read again whenever somebody
 * else replaced it, and replaced as a whole. Only its owner can read it.
 */
export class AccessFile {
  readonly #path: string;
  #data: AccessData = NOTHING;
  /** What tells one version of the file from another. */
  #version = "";
  #changes: Promise<unknown> = Promise.resolve();

  constructor(path: string) {
    this.#path = path;
  }

  /**
   * What it holds now; nothing when it is not there.
   *
   * @throws AccessFileError when it is damaged, and the system's error when it cannot be read.
   */
  async read(): Promise<AccessData> {
    const version = await this.#stat();
    if (version === this.#version) return this.#data;
    this.#data = version === "" ? NOTHING : this.#parse(await Deno.readTextFile(this.#path));
    this.#version = version;
    return this.#data;
  }

  /** Replaces what it holds; changes made here come one after the other. */
  change<T>(make: (data: AccessData) => { data: AccessData; result: T }): Promise<T> {
    const changing = this.#changes.then(async () => {
      const before = await this.read();
      const { data, result } = make(before);
      if (data !== before) await this.#write(data);
      return result;
    });
    this.#changes = changing.catch(() => null);
    return changing;
  }

  async #write(data: AccessData): Promise<void> {
    const text = `${JSON.stringify({ version: 1, ...data }, null, 2)}\n`;
    const draft = `${this.#path}.new`;
    await Deno.mkdir(folderOf(this.#path), { recursive: true, mode: 0o700 });
    await Deno.writeTextFile(draft, text, { mode: 0o600 });
    await Deno.rename(draft, this.#path);
    this.#data = data;
    this.#version = await this.#stat();
  }

  async #stat(): Promise<string> {
    try {
      const { mtime, size, ino } = await Deno.stat(this.#path);
      return `${mtime?.getTime()} ${size} ${ino}`;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return "";
      throw error;
    }
  }

  #parse(text: string): AccessData {
    try {
      return fileSchema.parse(JSON.parse(text));
    } catch (cause) {
      throw new AccessFileError(`Cannot read ${this.#path}: expected a file of keys and users`, {
        cause,
      });
    }
  }
}

function folderOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash <= 0 ? "." : path.slice(0, slash);
}
