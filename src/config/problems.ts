import type { z } from "zod";
import { nearest } from "../base/suggest.ts";
import { keysNamedIn } from "./fields.ts";
import { describeReference, type Reference } from "./references.ts";
import { HIDDEN, withoutUserinfo } from "./secrets.ts";
import { formatPath, idOf, type Path, type Position, type Positions } from "./toml.ts";

/** One mistake in a config file. */
export interface Problem extends Position {
  /** The file as it was named. */
  readonly file: string;
  /** `transports.out.port`; empty when it concerns the whole file. */
  readonly path: string;
  readonly expected: string;
  /** The value, or a word for it; never a secret. */
  readonly got: string;
  /** The known key that was probably meant. */
  readonly suggestion?: string;
}

/** Something in a config file that works and is unwise. */
export interface Warning extends Position {
  readonly file: string;
  readonly path: string;
  /** What can happen, and what to do about it. */
  readonly message: string;
}

/** `posthouse.toml:4:1: relay.networks[0]: warning: Clients of …`. */
export function formatWarning({ file, line, column, path, message }: Warning): string {
  return `${file}:${line}:${column}: ${path}: warning: ${message}`;
}

/** `posthouse.toml:12:3: transports.out.port: expected a whole number, got "abc"`. */
export function formatProblem(problem: Problem): string {
  const { file, line, column, path, expected, got, suggestion } = problem;
  const where = `${file}:${line}:${column}: ${path === "" ? "" : `${path}: `}`;
  const hint = suggestion === undefined ? "" : ` (did you mean ${JSON.stringify(suggestion)}?)`;
  return `${where}expected ${expected}, got ${got}${hint}`;
}

/** What is needed to tell where a problem is and what stands there. */
export interface ProblemContext {
  readonly file: string;
  readonly root: unknown;
  readonly positions: Positions;
  readonly references: ReadonlyMap<string, Reference>;
  /** Keys whose values are secrets. */
  readonly secrets: ReadonlySet<string>;
}

/** A problem with the value at `path`; a missing value points at the table around it. */
export function problemAt(
  context: ProblemContext,
  { path, expected, got, suggestion }: {
    path: Path;
    expected: string;
    got?: string;
    suggestion?: string;
  },
): Problem {
  return {
    file: context.file,
    path: formatPath(path),
    ...context.positions.ofValue(referenceAround(context, path)?.path ?? path),
    expected,
    got: got ?? describeValue(context, path),
    ...(suggestion === undefined ? {} : { suggestion }),
  };
}

/** The problems that one issue of the schema stands for: one for each unknown key, else one. */
export function problemsOf(
  context: ProblemContext,
  issue: z.core.$ZodIssue,
): { readonly problem: Problem; readonly path: Path }[] {
  const path = issue.path.map((step) => typeof step === "symbol" ? String(step) : step);
  if (issue.code !== "unrecognized_keys") {
    return [{ problem: problemAt(context, { path, expected: issue.message }), path }];
  }
  return issue.keys.map((key) => ({
    problem: unknownKey(context, { path: [...path, key], issue }),
    path: [...path, key],
  }));
}

function unknownKey(
  { file, positions }: ProblemContext,
  { path, issue }: { path: Path; issue: z.core.$ZodIssue },
): Problem {
  const key = String(path.at(-1));
  const suggestion = nearest(key, keysNamedIn(issue.message));
  return {
    file,
    path: formatPath(path),
    ...positions.ofKey(path),
    expected: issue.message,
    got: JSON.stringify(key),
    ...(suggestion === null ? {} : { suggestion }),
  };
}

/** The reference that the value at `path` came from; it may have given a whole list. */
function referenceAround(
  { references }: ProblemContext,
  path: Path,
): { readonly path: Path; readonly reference: Reference } | null {
  for (let length = path.length; length > 0; length--) {
    const outer = path.slice(0, length);
    const reference = references.get(idOf(outer));
    if (reference !== undefined) return { path: outer, reference };
  }
  return null;
}

function describeValue(context: ProblemContext, path: Path): string {
  const source = referenceAround(context, path);
  if (source !== null) return describeReference(source.reference);
  const value = valueAt(context.root, path);
  if (value === undefined) return "nothing";
  if (context.secrets.has(String(path.at(-1)))) return HIDDEN;
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list";
  if (value instanceof Date) return "a date";
  if (typeof value === "object") return "a table";
  if (typeof value !== "string") return String(value);
  return shortened(JSON.stringify(withoutUserinfo(value)));
}

/** The value at `path` below `root`; undefined when there is none. */
export function valueAt(root: unknown, path: Path): unknown {
  let value = root;
  for (const step of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, step)) {
      return undefined;
    }
    value = (value as Readonly<Record<string | number, unknown>>)[step];
  }
  return value;
}

function shortened(text: string): string {
  return text.length <= 80 ? text : `${text.slice(0, 76)}…"`;
}
