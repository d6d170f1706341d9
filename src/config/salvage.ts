/**
 * What a command can use of a config file that the relay would not start with: everything but the
 * keys with mistakes, which count as if they were not there.
 */
import { valueAt } from "./problems.ts";
import { parseToml, type Path, type Position, type TomlDocument } from "./toml.ts";

/** Mistakes that are passed over at most. */
const MOST_MISTAKES = 50;

/** A document without the parts that are no TOML, and where those are. */
export interface Readable {
  readonly document: TomlDocument;
  readonly mistakes: readonly (Position & { readonly reason: string })[];
}

/**
 * Reads a text as TOML without the parts that are none: from a mistake to the next header of a
 * table, since what follows a broken header belongs to no table before it. Null for too many.
 */
export function readableToml(text: string): Readable | null {
  const lines = text.split("\n");
  const mistakes: (Position & { reason: string })[] = [];
  for (;;) {
    const parsed = parseToml(lines.join("\n"));
    if (parsed.kind === "ok") return { document: parsed.document, mistakes };
    const { position, reason } = parsed;
    let at = Math.min(position.line, lines.length) - 1;
    if (lines[at] !== "") mistakes.push({ ...position, reason });
    else while (at > 0 && lines[at] === "") at--; // what stood before has no end
    if (mistakes.length > MOST_MISTAKES || lines[at] === "") return null;
    do lines[at++] = ""; while (at < lines.length && !/^\s*\[/.test(lines[at] ?? ""));
  }
}

/**
 * Takes the values at these paths out of a document, in place; a value that is missing takes what
 * should have held it along. False where one of them is needed, as its first key says.
 */
export function takeOut(
  root: Record<string, unknown>,
  { paths, needs }: { paths: readonly Path[]; needs: readonly string[] },
): boolean {
  const taken: Path[] = [];
  for (const path of paths.toReversed()) { // the last of a list first: others keep their places
    if (taken.some((outer) => isWithin(path, outer))) continue;
    let place = path;
    while (place.length > 1 && valueAt(root, place) === undefined) place = place.slice(0, -1);
    const [first] = place;
    if (first === undefined || needs.includes(String(first))) return false;
    if (valueAt(root, place) === undefined) {
      // What is missing cannot be taken out, but what asks for it can.
      for (const key of Object.keys(root)) if (!needs.includes(key)) delete root[key];
      return true;
    }
    remove(root, place);
    taken.push(place);
  }
  return true;
}

function isWithin(path: Path, outer: Path): boolean {
  return outer.every((step, index) => path[index] === step);
}

function remove(root: Record<string, unknown>, path: Path): void {
  const parent = path.length === 1 ? root : valueAt(root, path.slice(0, -1));
  const key = path.at(-1);
  if (Array.isArray(parent)) parent.splice(Number(key), 1);
  else if (typeof parent === "object" && parent !== null) {
    delete (parent as Record<string, unknown>)[String(key)];
  }
}
