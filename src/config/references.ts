import { idOf, type Path } from "./toml.ts";

/** How a value that stands elsewhere is written in the file. */
export type Reference = { readonly env: string } | { readonly file: string };

/** Where referenced values come from. */
export interface ReferenceSources {
  /** The value of an environment variable; undefined when it is not set. */
  readonly env: (name: string) => string | undefined;
  /** The text of a file. Throws when it cannot be read. */
  readonly readFile: (path: string) => Promise<string>;
}

/** A reference that leads nowhere. */
export interface BrokenReference {
  readonly path: Path;
  readonly expected: string;
  readonly got: string;
}

/** A document whose references were followed. */
export interface ResolvedDocument {
  /** A copy of the document; a broken reference is `undefined` in it. */
  readonly root: Record<string, unknown>;
  /** Every reference, by `idOf` its path. */
  readonly references: ReadonlyMap<string, Reference>;
  readonly broken: readonly BrokenReference[];
}

/** Puts the text of the environment or a file in place of each reference. */
export async function resolveReferences(
  root: Readonly<Record<string, unknown>>,
  sources: ReferenceSources,
): Promise<ResolvedDocument> {
  const resolver = new Resolver(sources);
  const resolved = await resolver.table(root, []);
  return { root: resolved, references: resolver.references, broken: resolver.broken };
}

class Resolver {
  readonly references = new Map<string, Reference>();
  readonly broken: BrokenReference[] = [];
  readonly #sources: ReferenceSources;

  constructor(sources: ReferenceSources) {
    this.#sources = sources;
  }

  async table(
    table: Readonly<Record<string, unknown>>,
    path: Path,
  ): Promise<Record<string, unknown>> {
    const entries: [string, unknown][] = [];
    for (const [key, value] of Object.entries(table)) {
      entries.push([key, await this.#value(value, [...path, key])]);
    }
    return Object.fromEntries(entries);
  }

  async #value(value: unknown, path: Path): Promise<unknown> {
    if (Array.isArray(value)) {
      const elements: unknown[] = [];
      for (const [index, element] of value.entries()) {
        elements.push(await this.#value(element, [...path, index]));
      }
      return elements;
    }
    if (!isTable(value)) return value;
    if (!isReference(value)) return this.table(value, path);
    this.references.set(idOf(path), value);
    return "env" in value ? this.#fromEnv(value.env, path) : this.#fromFile(value.file, path);
  }

  #fromEnv(name: string, path: Path): string | undefined {
    const text = this.#sources.env(name);
    if (text === undefined) {
      this.broken.push({ path, expected: `the environment variable ${name}`, got: "nothing" });
    }
    return text;
  }

  async #fromFile(file: string, path: Path): Promise<string | undefined> {
    try {
      return (await this.#sources.readFile(file)).replace(/\r?\n$/, "");
    } catch (error) {
      const got = error instanceof Error ? error.message : String(error);
      this.broken.push({ path, expected: `the file ${JSON.stringify(file)} to be readable`, got });
      return undefined;
    }
  }
}

/** Whether a value of a document is a table. */
export function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) &&
    !(value instanceof Date);
}

/** Describes where a referenced value came from, without the value itself. */
export function describeReference(reference: Reference): string {
  return "env" in reference
    ? `the value of the environment variable ${reference.env}`
    : `the content of the file ${JSON.stringify(reference.file)}`;
}

function isReference(value: Readonly<Record<string, unknown>>): value is Reference {
  const [key, ...others] = Object.keys(value);
  return others.length === 0 && (key === "env" || key === "file") &&
    typeof value[key] === "string";
}
