import { loadConfig, type LoadResult } from "../../src/config/load.ts";

/** A config file and what surrounds it, without touching the machine. */
export interface Surroundings {
  readonly env?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string>>;
  readonly systemHostname?: string;
}

/** Loads `source` as `posthouse.toml`; null means that there is no such file. */
export function load(source: string | null, surroundings: Surroundings = {}): Promise<LoadResult> {
  const { env = {}, files = {}, systemHostname = "relay.example.net" } = surroundings;
  const all = new Map(Object.entries(files));
  if (source !== null) all.set("posthouse.toml", source);
  return loadConfig({
    env: (name) => env[name],
    readFile(path) {
      const text = all.get(path);
      if (text !== undefined) return Promise.resolve(text);
      return Promise.reject(new Deno.errors.NotFound(`${path} is not there`));
    },
    systemHostname,
  });
}
