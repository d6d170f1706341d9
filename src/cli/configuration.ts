import type { Config } from "../config/schema.ts";
import {
  DEFAULT_CONFIG_FILE,
  loadConfig,
  type LoadOptions,
  type LoadResult,
} from "../config/load.ts";
import { formatProblem, type Problem, type Warning } from "../config/problems.ts";
import { formatPath, type Path } from "../config/toml.ts";
import { CertificateError } from "../net/server_tls.ts";
import { readPair } from "../net/server_tls_files.ts";
import { counted } from "./text.ts";
import type { FlagValues } from "./flags.ts";
import type { CliIo } from "./io.ts";

/** What a command needs of the configuration; all of it where not given. */
export type Needs = LoadOptions["needs"];

/** Loads the configuration that `--config` names. */
export function readConfig(io: CliIo, flags: FlagValues, needs?: Needs): Promise<LoadResult> {
  const path = flags.text("config");
  return loadConfig({
    ...(path === undefined ? {} : { path }),
    ...(needs === undefined ? {} : { needs }),
    env: (name) => io.env(name),
    readFile: (file) => io.readTextFile(file),
    systemHostname: io.hostname(),
  });
}

/** What a valid configuration refers to, and what is unwise in it. */
export interface Findings {
  readonly problems: readonly Problem[];
  readonly warnings: readonly Warning[];
}

/** Certificates that end sooner are warned of. */
const EXPIRY_WARNING_MS = 7 * 24 * 3600_000;

/** Looks at what a configuration means where it runs: files of certificates, and who gets in. */
export async function examine(
  io: Pick<CliIo, "readTextFile">,
  { config, file, locate, warnings }: Extract<LoadResult, { kind: "ok" }>,
): Promise<Findings> {
  const problems: Problem[] = [];
  const more: Warning[] = [];
  for (const [index, pair] of config.tls.certificates.entries()) {
    const path: Path = ["tls", "certificates", index];
    const place = {
      ...{ file: file ?? DEFAULT_CONFIG_FILE, path: formatPath(path) },
      ...locate(path),
    };
    try {
      const { expiresAtMs } = await readPair(pair, (name) => io.readTextFile(name));
      const leftMs = expiresAtMs - Date.now();
      if (leftMs > EXPIRY_WARNING_MS) continue;
      const when = new Date(expiresAtMs).toISOString().slice(0, 10);
      const message = `The certificate in ${pair.certificateFile} ` +
        `${leftMs > 0 ? "expires" : "expired"} on ${when}. Renew it.`;
      more.push({ ...place, message });
    } catch (error) {
      if (!(error instanceof CertificateError)) throw error;
      problems.push({ ...place, expected: "a certificate and its key", got: error.message });
    }
  }
  return { problems, warnings: [...warnings, ...more] };
}

/**
 * Loads the configuration. Mistakes in what the command needs are written, and the result is null;
 * others are only warned of.
 */
export async function configOrProblems(
  io: CliIo,
  flags: FlagValues,
  needs?: Needs,
): Promise<Config | null> {
  const result = await readConfig(io, flags, needs);
  if (result.kind === "invalid") {
    writeProblems(io, result);
    return null;
  }
  writeSkipped(io, result);
  return result.config;
}

/** Warns of mistakes that do not concern the command. */
export function writeSkipped(
  io: CliIo,
  { skipped }: { readonly skipped: readonly Problem[] },
): void {
  if (skipped.length === 0) return;
  for (const problem of skipped) io.err(`${formatProblem(problem)}\n`);
  const what = counted(skipped.length, "problem");
  io.err(`The command runs without them, but the relay does not start: ${what} in the config.\n`);
}

/** Writes each problem on a line of its own to standard error. */
export function writeProblems(
  io: CliIo,
  { problems }: { readonly problems: readonly Problem[] },
): void {
  for (const problem of problems) io.err(`${formatProblem(problem)}\n`);
  io.err(`${counted(problems.length, "problem")} in the configuration.\n`);
}
