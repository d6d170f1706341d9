import type { Config } from "../../config/schema.ts";
import { type Command, CONFIG_FLAG, type Invocation } from "../command.ts";
import { readConfig, writeProblems } from "../configuration.ts";
import { EXIT, type ExitCode, writeJson } from "../io.ts";
import { composeFile, containerFile } from "./container.ts";
import { grafanaDashboard } from "./grafana.ts";
import { permissionFlags } from "./permissions.ts";
import { systemdUnit } from "./systemd.ts";

/** Makes a file's text from the configuration. */
type Print = (config: Config, facts: { configFile: string }) => string;

/** Commands that print what surrounds the relay. */
export const initCommands: readonly Command[] = [
  printing("systemd", "Print a systemd unit for the executable.", systemdUnit),
  printing(
    "container",
    "Print a Dockerfile for this config.",
    (config) => containerFile(config, { denoVersion: Deno.version.deno }),
  ),
  printing("compose", "Print a compose file for that container.", composeFile),
  printing(
    "permissions",
    "Print the permissions that deno run needs for this config.",
    (config) => `${permissionFlags(config).join(" ")}\n`,
  ),
  {
    name: "init grafana",
    summary: "Print a Grafana dashboard of the relay's metrics.",
    flags: [],
    examples: [{ command: "init grafana > posthouse.json", does: "To be imported in Grafana" }],
    run({ io }) {
      writeJson(io, grafanaDashboard());
      return EXIT.ok;
    },
  },
];

function printing(what: string, summary: string, print: Print): Command {
  return {
    name: `init ${what}`,
    summary,
    details: "Ports, folders and time limits are those of the config.",
    flags: [CONFIG_FLAG],
    examples: [{ command: `init ${what} --config /etc/posthouse.toml`, does: "For this config" }],
    run: (invocation) => printFor(invocation, print),
  };
}

async function printFor({ io, flags }: Invocation, print: Print): Promise<ExitCode> {
  const loaded = await readConfig(io, flags);
  if (loaded.kind === "invalid") {
    writeProblems(io, loaded);
    return EXIT.usage;
  }
  const configFile = loaded.file?.startsWith("/") ? loaded.file : "/etc/posthouse.toml";
  io.out(print(loaded.config, { configFile }));
  return EXIT.ok;
}
