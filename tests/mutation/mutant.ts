/** One small change to one file. */

/** A change to the text of a file, without the file. */
export interface Edit {
  /** Offsets into the text. */
  readonly start: number;
  readonly end: number;
  readonly replacement: string;
}

/** A mistake somebody could make. */
export interface Mutant extends Edit {
  /** Below the root of the project, as `src/net/dial.ts`. */
  readonly path: string;
  readonly operator: string;
  /** From 1. */
  readonly line: number;
  /** The first line of what changes, trimmed: it finds the place again when lines moved. */
  readonly text: string;
  /** As `before → after`, in one line. */
  readonly change: string;
}

/** The text of the file with the change. */
export function applied(text: string, { start, end, replacement }: Edit): string {
  return text.slice(0, start) + replacement + text.slice(end);
}

/** What a mutant is known by in reports and in the list of equivalents. */
export function mutantKey({ path, text, change }: Pick<Mutant, "path" | "text" | "change">) {
  return JSON.stringify([path, text, change]);
}

/** Names an edit: its place and the change in one line. */
export function describeEdit(
  edit: Edit,
  { path, operator, source }: { path: string; operator: string; source: string },
): Mutant {
  const lineStart = source.lastIndexOf("\n", edit.start - 1) + 1;
  const lineEnd = source.indexOf("\n", edit.start);
  const before = oneLine(source.slice(edit.start, edit.end));
  return {
    ...edit,
    path,
    operator,
    line: source.slice(0, edit.start).split("\n").length,
    text: source.slice(lineStart, lineEnd === -1 ? undefined : lineEnd).trim(),
    change: `${before} → ${oneLine(edit.replacement)}`,
  };
}

function oneLine(text: string): string {
  const line = text.replaceAll(/\s+/g, " ").trim();
  return line.length <= 100 ? line : `${line.slice(0, 60)} … ${line.slice(-37)}`;
}
