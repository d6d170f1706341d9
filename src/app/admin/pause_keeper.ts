import { z } from "zod";
import type { Clock } from "../../base/clock.ts";
import { type OperatorPause, OperatorPauses } from "../../delivery/pauses.ts";

const pauseSchema = z.object({
  reason: z.string(),
  by: z.string(),
  sinceMs: z.int(),
  untilMs: z.int().nullable(),
});
const fileSchema = z.object({
  version: z.literal(1),
  domains: z.record(z.string(), pauseSchema),
  transports: z.record(z.string(), pauseSchema),
});

/** What operators paused, kept in a file so that a restart changes nothing. */
export class PauseKeeper {
  readonly pauses = new OperatorPauses();
  readonly #path: string;
  readonly #clock: Clock;
  #writing: Promise<void> = Promise.resolve();

  constructor({ path, clock }: { path: string; clock: Clock }) {
    this.#path = path;
    this.#clock = clock;
  }

  /**
   * Reads what was paused when the relay ended.
   *
   * @throws Error when the file is damaged: mail must not go where somebody stopped it.
   */
  async load(): Promise<void> {
    const text = await readIfThere(this.#path);
    if (text === null) return;
    const { domains, transports } = this.#parse(text);
    for (const [name, pause] of Object.entries(domains)) this.pauses.domains.set(name, pause);
    for (const [name, pause] of Object.entries(transports)) this.pauses.transports.set(name, pause);
  }

  /** Pauses something and resolves when that is on disk. */
  async pause(kind: "domains" | "transports", name: string, pause: OperatorPause): Promise<void> {
    this.pauses[kind].set(name, pause);
    await this.#save();
  }

  /** Ends a pause; false when there was none. */
  async resume(kind: "domains" | "transports", name: string): Promise<boolean> {
    const wasPaused = this.pauses[kind].get(name, this.#clock.now()) !== null;
    if (this.pauses[kind].delete(name)) await this.#save();
    return wasPaused;
  }

  #save(): Promise<void> {
    const writing = this.#writing.catch(() => {}).then(() => this.#write());
    this.#writing = writing;
    return writing;
  }

  async #write(): Promise<void> {
    const nowMs = this.#clock.now();
    const content = {
      version: 1,
      domains: Object.fromEntries(this.pauses.domains.all(nowMs)),
      transports: Object.fromEntries(this.pauses.transports.all(nowMs)),
    };
    const draft = `${this.#path}.new`;
    const folder = this.#path.slice(0, this.#path.lastIndexOf("/"));
    await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
    await Deno.writeTextFile(draft, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
    await Deno.rename(draft, this.#path);
  }

  #parse(text: string): z.output<typeof fileSchema> {
    try {
      return fileSchema.parse(JSON.parse(text));
    } catch (cause) {
      throw new Error(`Cannot read ${this.#path}: it is not a file of pauses`, { cause });
    }
  }
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}
