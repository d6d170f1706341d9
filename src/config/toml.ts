import { type AST, getStaticTOMLValue, ParseError, parseTOML } from "toml-eslint-parser";

/** Steps from the root of a document to a value: keys of tables and positions in lists. */
export type Path = readonly (string | number)[];

/** A place in a file; both count from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A TOML document: plain values, and where each of them stands. */
export interface TomlDocument {
  readonly root: Readonly<Record<string, unknown>>;
  readonly positions: Positions;
}

/** What `parseToml` returns. */
export type TomlResult =
  | { readonly kind: "ok"; readonly document: TomlDocument }
  /** `reason` is the parser's, such as "Unterminated string constant". */
  | { readonly kind: "invalid"; readonly position: Position; readonly reason: string };

/** Where the keys and values of a document stand. */
export class Positions {
  readonly #keys = new Map<string, Position>();
  readonly #values = new Map<string, Position>();

  /** The key at `path`, or that of the nearest table around it. */
  ofKey(path: Path): Position {
    return this.#nearest(this.#keys, path);
  }

  /** The value at `path`, or, when there is none, the key of the nearest table around it. */
  ofValue(path: Path): Position {
    return this.#values.get(idOf(path)) ?? this.ofKey(path);
  }

  /** Notes where a key stands; the first place counts, as tables may be opened again. */
  addKey(path: Path, node: AST.TOMLNode): void {
    const id = idOf(path);
    if (!this.#keys.has(id)) this.#keys.set(id, positionOf(node));
  }

  addValue(path: Path, node: AST.TOMLNode): void {
    this.#values.set(idOf(path), positionOf(node));
  }

  #nearest(places: ReadonlyMap<string, Position>, path: Path): Position {
    for (let length = path.length; length > 0; length--) {
      const position = places.get(idOf(path.slice(0, length)));
      if (position !== undefined) return position;
    }
    return { line: 1, column: 1 };
  }
}

/** Reads a TOML 1.0 document. */
export function parseToml(source: string): TomlResult {
  try {
    const program = parseTOML(source);
    const positions = new Positions();
    for (const node of program.body[0].body) {
      if (node.type === "TOMLTable") noteTable(positions, node);
      else noteKeyValue(positions, { node, parent: [] });
    }
    return { kind: "ok", document: { root: getStaticTOMLValue(program), positions } };
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    const position = { line: error.lineNumber, column: error.column + 1 };
    return { kind: "invalid", position, reason: error.message };
  }
}

/** One text for each path, for use as a key. */
export function idOf(path: Path): string {
  return JSON.stringify(path);
}

/** A path as it is written to people: `transports.out.port`, `listeners[0].name`. */
export function formatPath(path: Path): string {
  let text = "";
  for (const step of path) {
    if (typeof step === "number") text += `[${step}]`;
    else text += (text === "" ? "" : ".") + (/^[\w-]+$/.test(step) ? step : JSON.stringify(step));
  }
  return text;
}

function noteTable(positions: Positions, table: AST.TOMLTable): void {
  const keys = [...table.key.keys];
  const path: (string | number)[] = [];
  let last: AST.TOMLNode = table.key;
  for (const step of table.resolvedKey) {
    path.push(step);
    if (typeof step === "string") last = keys.shift() ?? last;
    positions.addKey(path, last);
  }
  for (const node of table.body) noteKeyValue(positions, { node, parent: path });
}

function noteKeyValue(
  positions: Positions,
  { node, parent }: { node: AST.TOMLKeyValue; parent: Path },
): void {
  let path = parent;
  for (const key of node.key.keys) {
    path = [...path, key.type === "TOMLBare" ? key.name : key.value];
    positions.addKey(path, key);
  }
  noteValue(positions, { node: node.value, path });
}

function noteValue(
  positions: Positions,
  { node, path }: { node: AST.TOMLContentNode; path: Path },
): void {
  positions.addValue(path, node);
  if (node.type === "TOMLInlineTable") {
    for (const pair of node.body) noteKeyValue(positions, { node: pair, parent: path });
  } else if (node.type === "TOMLArray") {
    node.elements.forEach((element, index) => {
      positions.addKey([...path, index], element);
      noteValue(positions, { node: element, path: [...path, index] });
    });
  }
}

function positionOf(node: AST.TOMLNode): Position {
  const { line, column } = node.loc.start;
  return { line, column: column + 1 };
}
