import type { z } from "zod";
import { valueAt } from "./problems.ts";
import type { Reference } from "./references.ts";
import { idOf, type Path } from "./toml.ts";

/**
 * Environment variables and files hold text. Where the schema wanted something else at the place
 * of a reference, this reads the text as that, in place: numbers, `true` and `false`, and lists
 * separated by commas or white space. Returns whether anything changed.
 */
export function coerceReferences(
  root: Record<string, unknown>,
  { references, issues }: {
    references: ReadonlyMap<string, Reference>;
    issues: readonly z.core.$ZodIssue[];
  },
): boolean {
  let changed = false;
  for (const issue of issues) {
    const path = issue.path.filter((step) => typeof step !== "symbol");
    if (issue.code !== "invalid_type" || !references.has(idOf(path))) continue;
    const text = valueAt(root, path);
    const value = typeof text === "string" ? read(text.trim(), issue.expected) : undefined;
    if (value === undefined) continue;
    setAt(root, { path, value });
    changed = true;
  }
  return changed;
}

/** `text` as the wanted type; undefined when it is none. */
function read(text: string, wanted: string): number | boolean | string[] | undefined {
  switch (wanted) {
    case "number":
    case "int":
      return /^[+-]?\d+(?:\.\d+)?$/.test(text) ? Number(text) : undefined;
    case "boolean":
      return text === "true" ? true : text === "false" ? false : undefined;
    case "array":
      return text === "" ? [] : text.split(/[\s,]+/);
    default:
      return undefined;
  }
}

function setAt(
  root: Record<string, unknown>,
  { path, value }: { path: Path; value: unknown },
): void {
  const parent = valueAt(root, path.slice(0, -1));
  const last = path.at(-1);
  if (typeof parent !== "object" || parent === null || last === undefined) return;
  (parent as Record<string | number, unknown>)[last] = value;
}
