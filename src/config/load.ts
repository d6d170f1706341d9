import type { z } from "zod";
import { coerceReferences } from "./coerce.ts";
import { crossCheck } from "./cross_checks.ts";
import { effectiveDocument } from "./effective.ts";
import { isHostname } from "./fields.ts";
import {
  type Problem,
  problemAt,
  type ProblemContext,
  problemsOf,
  type Warning,
} from "./problems.ts";
import { adviceOn } from "./reach.ts";
import { type ReferenceSources, type ResolvedDocument, resolveReferences } from "./references.ts";
import {
  completeDocument,
  type Config,
  type ConfigDocument,
  configOf,
  documentSchema,
} from "./schema.ts";
import { secretKeys } from "./secrets.ts";
import { readableToml, takeOut } from "./salvage.ts";
import { formatPath, parseToml, type Path, type Position, type TomlDocument } from "./toml.ts";

/** The file that is read when none is named. */
export const DEFAULT_CONFIG_FILE = "posthouse.toml";

/** Where the configuration comes from. */
export interface LoadOptions extends ReferenceSources {
  /** A file that must exist; without it `posthouse.toml` is read if it is there. */
  readonly path?: string;
  /** The name of the machine, for a config that does not set `hostname`. */
  readonly systemHostname: string;
  /**
   * Top-level keys that a command needs. Mistakes elsewhere do not keep it from running: keys with
   * mistakes count as if they were not there. Without it, everything has to be right.
   */
  readonly needs?: readonly (keyof ConfigDocument)[];
}

export type LoadResult =
  | {
    readonly kind: "ok";
    readonly config: Config;
    /** The file that was read; null when there is none and the defaults hold. */
    readonly file: string | null;
    /** Mistakes that were passed over, as `needs` allows. */
    readonly skipped: readonly Problem[];
    /** What works and is unwise, in the order of the file. */
    readonly warnings: readonly Warning[];
    /** Where the value at a path stands. */
    readonly locate: (path: Path) => Position;
    /** Everything that holds, keys as in TOML; referenced values are shown as their references. */
    readonly effective: Readonly<Record<string, unknown>>;
  }
  | { readonly kind: "invalid"; readonly problems: readonly Problem[] };

/**
 * Reads, resolves and validates the configuration. Finds all mistakes, not only the first.
 * Without `path` a missing file means the defaults: `readFile` throws `Deno.errors.NotFound`.
 */
export async function loadConfig(options: LoadOptions): Promise<LoadResult> {
  const file = options.path ?? DEFAULT_CONFIG_FILE;
  const source = await readSource(file, options);
  if (source.kind === "unreadable") return { kind: "invalid", problems: [source.problem] };
  const parsed = parseToml(source.text);
  if (parsed.kind === "invalid") {
    const problem = tomlProblem(file, { ...parsed.position, reason: parsed.reason });
    const readable = options.needs === undefined ? null : readableToml(source.text);
    if (readable === null) return { kind: "invalid", problems: [problem] };
    const skipped = readable.mistakes.map((mistake) => tomlProblem(file, mistake));
    return await loadDocument(readable.document, { ...options, file, source, skipped });
  }
  return await loadDocument(parsed.document, { ...options, file, source, skipped: [] });
}

/** How often values with mistakes are taken out, and the rest is looked at again. */
const MOST_ROUNDS = 20;

async function loadDocument(
  { root, positions }: TomlDocument,
  options: LoadOptions & {
    readonly file: string;
    readonly source: { readonly exists: boolean };
    readonly skipped: readonly Problem[];
  },
): Promise<LoadResult> {
  const { file, source, needs } = options;
  const resolved = await resolveReferences(root, options);
  const secrets = secretKeys(documentSchema);
  const { references } = resolved;
  const context = { file, root: resolved.root, positions, references, secrets };
  let skipped: readonly Problem[] | null = null;
  let broken = resolved.broken;
  let validated = validate(resolved);
  for (let round = 0;; round++) {
    const issues = validated.error?.issues ?? [];
    const found = collectProblems(context, { root: resolved.root, broken, issues });
    if (validated.success && found.length === 0) break;
    const problems = found.map(({ problem }) => problem);
    const paths = found.map(({ path }) => path);
    const isHopeless = needs === undefined || round === MOST_ROUNDS;
    if (isHopeless || !takeOut(resolved.root, { paths, needs })) {
      return { kind: "invalid", problems: [...options.skipped, ...problems] };
    }
    skipped ??= problems; // those that follow are of what was taken out
    broken = [];
    validated = validate(resolved);
  }
  const complete = completeDocument(validated.data, {
    systemHostname: isHostname(options.systemHostname) ? options.systemHostname : "localhost",
  });
  return {
    kind: "ok",
    config: deepFreeze(configOf(complete)),
    file: source.exists ? file : null,
    skipped: [...options.skipped, ...skipped ?? []],
    warnings: [...adviceOn(complete)].map(({ path, message }) => ({
      ...{ file, path: formatPath(path), message },
      ...positions.ofValue(path),
    })).sort((a, b) => a.line - b.line),
    locate: (path) => positions.ofValue(path),
    effective: effectiveDocument(complete, { references, secrets }),
  };
}

type Source =
  | { readonly kind: "text"; readonly text: string; readonly exists: boolean }
  | { readonly kind: "unreadable"; readonly problem: Problem };

async function readSource(file: string, { path, readFile }: LoadOptions): Promise<Source> {
  try {
    return { kind: "text", text: await readFile(file), exists: true };
  } catch (error) {
    const isMissing = error instanceof Deno.errors.NotFound;
    if (isMissing && path === undefined) return { kind: "text", text: "", exists: false };
    const got = isMissing ? "no such file" : error instanceof Error ? error.message : String(error);
    const problem = { file, path: "", line: 1, column: 1, expected: "a readable file", got };
    return { kind: "unreadable", problem };
  }
}

/** Validates; referenced text that should be a number, a switch or a list is read as one. */
function validate({ root, references }: ResolvedDocument): z.ZodSafeParseResult<ConfigDocument> {
  const validated = documentSchema.safeParse(root);
  if (
    validated.success || !coerceReferences(root, { references, issues: validated.error.issues })
  ) {
    return validated;
  }
  return documentSchema.safeParse(root);
}

/** The problems in the order of the file, each with the path of the value that it is about. */
function collectProblems(
  context: ProblemContext,
  { root, broken, issues }: {
    root: ResolvedDocument["root"];
    broken: ResolvedDocument["broken"];
    issues: readonly z.core.$ZodIssue[];
  },
): { readonly problem: Problem; readonly path: Path }[] {
  const found = [
    ...broken.map((reference) => ({
      problem: problemAt(context, reference),
      path: reference.path,
    })),
    // What a table lacks is a reference that leads nowhere, and that was said.
    ...issues.flatMap((issue) => problemsOf(context, issue))
      .filter(({ path }) => !broken.some((reference) => isBelow(reference.path, path))),
    ...crossCheck(root).map((finding) => ({
      problem: problemAt(context, finding),
      path: finding.path,
    })),
  ];
  // The first problem of a value is the one to read: what is missing has no type to be wrong.
  const byPlace = new Map<string, typeof found[number]>();
  for (const one of found) {
    if (!byPlace.has(one.problem.path)) byPlace.set(one.problem.path, one);
  }
  return [...byPlace.values()].sort(({ problem: a }, { problem: b }) =>
    a.line - b.line || a.column - b.column
  );
}

function isBelow(path: Path, table: Path): boolean {
  return path.length > table.length && table.every((step, index) => path[index] === step);
}

function tomlProblem(
  file: string,
  { line, column, reason }: Position & { readonly reason: string },
): Problem {
  const got = reason.charAt(0).toLowerCase() + reason.slice(1);
  return { file, path: "", line, column, expected: "valid TOML", got };
}

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null) {
    Object.values(value).forEach(deepFreeze);
    Object.freeze(value);
  }
  return value;
}
