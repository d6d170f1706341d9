import { printToml } from "../config/print_toml.ts";
import { type Command, CONFIG_FLAG, type Invocation, JSON_FLAG } from "./command.ts";
import { readConfig, writeProblems } from "./configuration.ts";
import { EXIT, type ExitCode, writeJson } from "./io.ts";
import { styleOf } from "./style.ts";

/** Validates the configuration and prints what holds. */
export const checkCommand: Command = {
  name: "check",
  summary: "Validate the config file and print the effective configuration.",
  details:
    "Prints every effective setting, including defaults, as a config file. Values from the " +
    "environment or a file are shown as references. For an invalid file it prints every " +
    "problem with line and column, and exits with status 2.",
  flags: [CONFIG_FLAG, JSON_FLAG],
  examples: [
    { command: "check", does: "Check posthouse.toml, or show the defaults" },
    { command: "check --config /etc/posthouse.toml", does: "Check another file" },
    { command: "check --json", does: "Print settings or problems as JSON" },
  ],
  run: check,
};

async function check({ io, flags }: Invocation): Promise<ExitCode> {
  const result = await readConfig(io, flags);
  if (flags.switch("json")) {
    writeJson(
      io,
      result.kind === "ok"
        ? { valid: true, file: result.file, config: result.effective }
        : { valid: false, problems: result.problems },
    );
  } else if (result.kind === "ok") {
    const source = result.file === null ? "no config file, these are the defaults" : result.file;
    io.out(`${styleOf(io).dim(`# ${source}`)}\n${printToml(result.effective)}`);
  } else writeProblems(io, result);
  return result.kind === "ok" ? EXIT.ok : EXIT.usage;
}
