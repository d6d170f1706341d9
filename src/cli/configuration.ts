import type { Config } from "../config/schema.ts";
import { loadConfig, type LoadResult } from "../config/load.ts";
import { formatProblem } from "../config/problems.ts";
import { counted } from "./text.ts";
import type { FlagValues } from "./flags.ts";
import type { CliIo } from "./io.ts";

/** Loads the configuration that `--config` names. */
export function readConfig(io: CliIo, flags: FlagValues): Promise<LoadResult> {
  const path = flags.text("config");
  return loadConfig({
    ...(path === undefined ? {} : { path }),
    env: (name) => io.env(name),
    readFile: (file) => io.readTextFile(file),
    systemHostname: io.hostname(),
  });
}

/** Loads the configuration; when it is invalid, writes every problem and returns null. */
export async function configOrProblems(io: CliIo, flags: FlagValues): Promise<Config | null> {
  const result = await readConfig(io, flags);
  if (result.kind === "ok") return result.config;
  writeProblems(io, result);
  return null;
}

/** Writes each problem on a line of its own to standard error. */
export function writeProblems(
  io: CliIo,
  { problems }: Extract<LoadResult, { kind: "invalid" }>,
): void {
  for (const problem of problems) io.err(`${formatProblem(problem)}\n`);
  io.err(`${counted(problems.length, "problem")} in the configuration.\n`);
}
