import { isTable, type Reference } from "./references.ts";
import type { CompleteDocument } from "./schema.ts";
import { HIDDEN, withoutUserinfo } from "./secrets.ts";
import { idOf, type Path } from "./toml.ts";

/**
 * The document as it holds, for people: defaults filled in, and every value that came from the
 * environment or a file shown as its reference. No secret is printed. Where none stands in the
 * file itself the result is a valid config file again.
 */
export function effectiveDocument(
  document: CompleteDocument,
  { references, secrets }: {
    references: ReadonlyMap<string, Reference>;
    /** Keys whose values are secrets. */
    secrets: ReadonlySet<string>;
  },
): Readonly<Record<string, unknown>> {
  const show = (value: unknown, path: Path): unknown => {
    const reference = references.get(idOf(path));
    if (reference !== undefined) return { ...reference };
    if (typeof value === "string" && secrets.has(String(path.at(-1)))) return HIDDEN;
    if (typeof value === "string") return withoutUserinfo(value);
    if (Array.isArray(value)) return value.map((element, index) => show(element, [...path, index]));
    if (!isTable(value)) return value;
    const pairs = Object.entries(value).map(([key, part]) => [key, show(part, [...path, key])]);
    return Object.fromEntries(pairs);
  };
  return show(document, []) as Readonly<Record<string, unknown>>;
}
