import type { ConfigPort } from "../../admin/ports.ts";
import type { Random } from "../../base/random.ts";
import { createPreflight } from "../preflight/mod.ts";
import type { ConfigSource } from "./config_source.ts";
import type { RelayParts } from "./parts.ts";
import { adminPorts } from "./ports.ts";
import { AdminSite } from "./site.ts";
import type { RelayWatch } from "./watch.ts";

/** Makes the admin API and dashboard of a running relay. */
export function relaySite(
  parts: RelayParts,
  { watch, source, random, version }: {
    readonly watch: RelayWatch;
    /** Null when the configuration was not loaded from anywhere. */
    readonly source: ConfigSource | null;
    readonly random: Random;
    readonly version: string;
  },
): AdminSite {
  const { clock, events, submitter, resolver, config } = parts;
  const loadedAtMs = clock.now();
  const nothing: ConfigPort = {
    read: () => ({ document: {}, toml: "", loadedAtMs }),
    fileState: () => Promise.resolve({ kind: "same" }),
  };
  return new AdminSite(config(), {
    ...{ clock, events, random, submitter },
    ports: (access) =>
      adminPorts({
        ...{ parts, access, watch, version },
        config: source ?? nothing,
        configFile: source?.file ?? null,
        preflight: createPreflight({ clock, resolver, config }),
      }),
  });
}
