import type { ConfigFileState, ConfigPort, ReloadResult } from "../../admin/ports.ts";
import type { Clock } from "../../base/clock.ts";
import type { LoadResult } from "../../config/load.ts";
import { formatProblem } from "../../config/problems.ts";
import { printToml } from "../../config/print_toml.ts";
import type { Config } from "../../config/schema.ts";
import type { EventSink } from "../../observe/events.ts";

/** What was loaded, and how to load it again. */
export interface LoadedConfig {
  /** The file; null when the defaults hold. */
  readonly file: string | null;
  readonly effective: Readonly<Record<string, unknown>>;
  /** Reads it again. */
  readonly load: () => Promise<LoadResult>;
}

export interface ConfigSourceOptions {
  readonly loaded: LoadedConfig;
  readonly clock: Clock;
  readonly events: EventSink;
  /** Uses another configuration. */
  readonly use: (config: Config) => Promise<void>;
}

/** The configuration as it was loaded; reloads run one after the other. */
export class ConfigSource implements ConfigPort {
  readonly #options: ConfigSourceOptions;
  #effective: Readonly<Record<string, unknown>>;
  #loadedAtMs: number;
  /** Why a part of what was loaded is not in force; null where all of it is. */
  #unused: string | null = null;
  #reloading: Promise<unknown> = Promise.resolve();

  constructor(options: ConfigSourceOptions) {
    this.#options = options;
    this.#effective = options.loaded.effective;
    this.#loadedAtMs = options.clock.now();
  }

  get file(): string | null {
    return this.#options.loaded.file;
  }

  read(): ReturnType<ConfigPort["read"]> {
    const document = this.#effective;
    return { document, toml: printToml(document), loadedAtMs: this.#loadedAtMs };
  }

  async fileState(): Promise<ConfigFileState> {
    const found = await this.#options.loaded.load();
    if (found.kind === "invalid") {
      return { kind: "broken", problems: found.problems.map(formatProblem) };
    }
    if (JSON.stringify(found.effective) !== JSON.stringify(this.#effective)) {
      return { kind: "changed" };
    }
    return this.#unused === null ? { kind: "same" } : { kind: "partial", problem: this.#unused };
  }

  /** Reads the configuration again; with a mistake in it, everything stays as it is. */
  reload({ by }: { by: string }): Promise<ReloadResult> {
    const reloading = this.#reloading.then(() => this.#reload(by));
    this.#reloading = reloading.catch(() => null);
    return reloading;
  }

  async #reload(by: string): Promise<ReloadResult> {
    const { loaded, clock, events, use } = this.#options;
    events({ type: "operated", by, action: "reloads", target: "the configuration" });
    const result = await loaded.load();
    if (result.kind === "invalid") {
      const problems = result.problems.map(formatProblem);
      for (const problem of problems) this.#trouble(problem);
      this.#trouble("The configuration was not reloaded; the previous one stays in force");
      return { kind: "invalid", problems };
    }
    this.#effective = result.effective;
    this.#loadedAtMs = clock.now();
    try {
      await use(result.config);
      this.#unused = null;
      return { kind: "reloaded" };
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      this.#trouble(problem); // the relay goes on
      this.#unused = problem;
      return { kind: "partial", problem };
    }
  }

  #trouble(message: string): void {
    this.#options.events({ type: "trouble", level: "error", component: "config", message });
  }
}
