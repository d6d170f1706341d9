import { type Command, CONFIG_FLAG, type Invocation } from "../command.ts";
import { readConfig, writeProblems, writeSkipped } from "../configuration.ts";
import { DEFAULT_CONFIG_FILE } from "../../config/load.ts";
import { EXIT, type ExitCode, writeJson } from "../io.ts";
import { initCommand } from "./config.ts";
import { composeFile, containerFile } from "./container.ts";
import { grafanaDashboard } from "./grafana.ts";
import { type LoadedFacts, permissionFlags } from "./permissions.ts";
import { programFolder, shellText } from "./start_command.ts";
import { systemdUnit } from "./systemd.ts";

/** Makes a file's text from the configuration. */
type Print = (facts: LoadedFacts) => string;

/** Commands that write a config and print what surrounds the relay. */
export const initCommands: readonly Command[] = [
  initCommand,
  printing(
    "systemd",
    "Print a systemd unit for the executable.",
    ({ config, file }) => systemdUnit(config, { configFile: absolute(file) }),
  ),
  printing(
    "container",
    "Print a Dockerfile for this config.",
    (facts) => containerFile(facts, { denoVersion: Deno.version.deno }),
  ),
  printing(
    "compose",
    "Print a compose file for the container.",
    ({ config }) => composeFile(config),
  ),
  printing(
    "permissions",
    "Print the permissions that deno run needs for this config.",
    (facts) => `${shellText(permissionFlags(facts))}\n`,
  ),
  {
    name: "init grafana",
    summary: "Print a Grafana dashboard of the relay's metrics.",
    flags: [],
    examples: [{
      command: "init grafana > posthouse.json",
      does: "Write a dashboard to import in Grafana",
    }],
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
    details: "Ports, folders and time limits are taken from the config.",
    flags: [CONFIG_FLAG],
    examples: [{ command: `init ${what} --config /etc/posthouse.toml`, does: "Use this config" }],
    run: (invocation) => printFor(invocation, print),
  };
}

async function printFor({ io, flags }: Invocation, print: Print): Promise<ExitCode> {
  const loaded = await readConfig(io, flags, ["data_dir", "listeners", "admin", "queue"]);
  if (loaded.kind === "invalid") {
    writeProblems(io, loaded);
    return EXIT.usage;
  }
  writeSkipped(io, loaded);
  const file = loaded.file ?? DEFAULT_CONFIG_FILE;
  io.out(print({ ...loaded, file, program: programFolder() }));
  return EXIT.ok;
}

/** Where a service finds the config: a service has no working directory of its own. */
function absolute(file: string): string {
  return file.startsWith("/") ? file : "/etc/posthouse.toml";
}
