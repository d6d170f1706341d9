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
import { formatPath, parseToml, type Path, type Position } from "./toml.ts";

/** The file that is read when none is named. */
export const DEFAULT_CONFIG_FILE = "posthouse.toml";

/** Where the configuration comes from. */
export interface LoadOptions extends ReferenceSources {
  /** A file that must exist; without it `posthouse.toml` is read if it is there. */
  readonly path?: string;
  /** The name of the machine, for a config that does not set `hostname`. */
  readonly systemHostname: string;
}

export type LoadResult =
  | {
    readonly kind: "ok";
    readonly config: Config;
    /** The file that was read; null when there is none and the defaults hold. */
    readonly file: string | null;
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
    const { position, reason } = parsed;
    const got = reason.charAt(0).toLowerCase() + reason.slice(1);
    const problem = { file, path: "", ...position, expected: "valid TOML", got };
    return { kind: "invalid", problems: [problem] };
  }
  const { root, positions } = parsed.document;
  const resolved = await resolveReferences(root, options);
  const validated = validate(resolved);
  const secrets = secretKeys(documentSchema);
  const { references } = resolved;
  const context = { file, root: resolved.root, positions, references, secrets };
  const problems = collectProblems(context, { resolved, issues: validated.error?.issues ?? [] });
  if (!validated.success || problems.length > 0) return { kind: "invalid", problems };
  const complete = completeDocument(validated.data, {
    systemHostname: isHostname(options.systemHostname) ? options.systemHostname : "localhost",
  });
  return {
    kind: "ok",
    config: deepFreeze(configOf(complete)),
    file: source.exists ? file : null,
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

function collectProblems(
  context: ProblemContext,
  { resolved: { root, broken }, issues }: {
    resolved: ResolvedDocument;
    issues: readonly z.core.$ZodIssue[];
  },
): Problem[] {
  const problems = [
    ...broken.map((reference) => problemAt(context, reference)),
    ...issues.flatMap((issue) => problemsOf(context, issue)),
    ...crossCheck(root).map((finding) => problemAt(context, finding)),
  ];
  // The first problem of a value is the one to read: what is missing has no type to be wrong.
  const byPlace = new Map<string, Problem>();
  for (const problem of problems) {
    if (!byPlace.has(problem.path)) byPlace.set(problem.path, problem);
  }
  return [...byPlace.values()].sort((a, b) => a.line - b.line || a.column - b.column);
}

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null) {
    Object.values(value).forEach(deepFreeze);
    Object.freeze(value);
  }
  return value;
}
