import type { Clock } from "../base/clock.ts";
import type { UserSettings } from "./settings.ts";

/** The users of a file. */
export type UsersRead =
  | {
    readonly kind: "ok";
    readonly users: readonly UserSettings[];
    /** By it the made-up salts of unknown users stay the same; null where the file has none. */
    readonly decoyKey: Uint8Array | null;
  }
  | { readonly kind: "broken"; readonly reason: string };

/** A file of users. */
export interface UsersFile {
  /** A text that changes when the file does. */
  version(): Promise<string>;
  /** Reads it; a file that is not there has no users. */
  read(): Promise<UsersRead>;
}

/** How often the file is looked at. */
const LOOK_EVERY_MS = 20;

/** Notices changes of a users file when somebody asks, so that nothing runs while nobody does. */
export class UsersWatch {
  readonly #file: UsersFile;
  readonly #clock: Clock;
  #version: string | null = null;
  #lookedAtMs = -Infinity;

  constructor(file: UsersFile, clock: Clock) {
    this.#file = file;
    this.#clock = clock;
  }

  /** Whether the last look is so long ago that another is worth it. */
  get isDue(): boolean {
    return this.#clock.monotonic() - this.#lookedAtMs >= LOOK_EVERY_MS;
  }

  /** The users, where the file is another than at the last look; null where it is the same. */
  async look(): Promise<UsersRead | null> {
    this.#lookedAtMs = this.#clock.monotonic();
    const version = await this.#file.version();
    if (version === this.#version) return null;
    const read = await this.#file.read();
    this.#version = version;
    return read;
  }
}
