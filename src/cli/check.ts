import { printToml } from "../config/print_toml.ts";
import { type Command, CONFIG_FLAG, type Invocation, JSON_FLAG } from "./command.ts";
import { formatWarning } from "../config/problems.ts";
import { examine, readConfig, writeProblems } from "./configuration.ts";
import { EXIT, type ExitCode, writeJson } from "./io.ts";
import { styleOf } from "./style.ts";

/** Validates the configuration and prints what holds. */
export const checkCommand: Command = {
  name: "check",
  summary: "Validate the config file and print the effective configuration.",
  details:
    "Prints every effective setting, including defaults, as a config file. Values from the " +
    "environment or a file are shown as references. For an invalid file it prints every " +
    "problem with line and column, and exits with status 2. It reads the certificates, too, and " +
    "warns of what lets others send or read more than most want: such settings are valid.",
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
  const { problems, warnings } = result.kind === "ok"
    ? await examine(io, result)
    : { problems: result.problems, warnings: [] };
  const isValid = result.kind === "ok" && problems.length === 0;
  if (flags.switch("json")) {
    writeJson(
      io,
      isValid
        ? { valid: true, file: result.file, warnings, config: result.effective }
        : { valid: false, problems, warnings },
    );
    return isValid ? EXIT.ok : EXIT.usage;
  }
  for (const warning of warnings) io.err(`${formatWarning(warning)}\n`);
  if (!isValid) {
    writeProblems(io, { problems });
    return EXIT.usage;
  }
  const source = result.file === null ? "no config file, these are the defaults" : result.file;
  io.out(`${styleOf(io).dim(`# ${source}`)}\n${printToml(result.effective)}`);
  return EXIT.ok;
}
