/**
 * Probes: a call at the start of every block of a file, so that one run of a test file tells which
 * blocks it comes through. A mutant in a block that no test enters needs no run.
 */
import ts from "typescript";
import { applied } from "./mutant.ts";

/** A file with its probes. */
export interface Probed {
  readonly text: string;
  /** The probe that answers for the offset into the original text. */
  readonly probeAt: (offset: number) => string;
}

interface Region {
  readonly start: number;
  readonly end: number;
  readonly open: string;
  readonly close: string;
}

/** The module that the probes call: it notes each probe the first time it is met. */
export function probeModule(notesPath: string): string {
  return `const met = new Set();
export function met_(probe) {
  if (met.has(probe)) return;
  met.add(probe);
  try {
    Deno.writeTextFileSync(${JSON.stringify(notesPath)}, probe + "\\n", { append: true });
  } catch { /* a process that may not write */ }
}
`;
}

/** Puts probes into `text`; `id` names the file in their notes. */
export function probed(
  text: string,
  { path, id, moduleUrl }: { path: string; id: string; moduleUrl: string },
): Probed {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.ESNext, true);
  const regions = regionsOf(source);
  return {
    text: `import { met_ } from "${moduleUrl}";met_("${id}:top");${withProbes(text, regions, id)}`,
    probeAt: (offset) => {
      const index = regions.findLastIndex(({ start, end }) => start <= offset && offset < end);
      return `${id}:${index === -1 ? "top" : index}`;
    },
  };
}

/** From the outermost inwards, so that the last that holds an offset is the innermost. */
function regionsOf(source: ts.SourceFile): readonly Region[] {
  const regions: Region[] = [];
  const visit = (node: ts.Node): void => {
    const region = regionOf(node);
    if (region !== null) regions.push(region);
    ts.forEachChild(node, visit);
  };
  ts.forEachChild(source, visit);
  return regions;
}

function regionOf(node: ts.Node): Region | null {
  if (ts.isBlock(node)) {
    return { start: node.getStart() + 1, end: node.getEnd(), open: "", close: "" };
  }
  if (ts.isCaseOrDefaultClause(node)) {
    const start = node.getText().indexOf(":", labelLength(node)) + node.getStart() + 1;
    return { start, end: node.getEnd(), open: "", close: "" };
  }
  if (isArrowBody(node)) return { ...placeOf(node), open: "(", close: ")" };
  return isLoneStatement(node) ? { ...placeOf(node), open: "{", close: "}" } : null;
}

function labelLength(node: ts.CaseOrDefaultClause): number {
  return ts.isCaseClause(node) ? node.expression.getEnd() - node.getStart() : 0;
}

function placeOf(node: ts.Node): { start: number; end: number } {
  return { start: node.getStart(), end: node.getEnd() };
}

function isArrowBody(node: ts.Node): boolean {
  return ts.isArrowFunction(node.parent) && node.parent.body === node && !ts.isBlock(node);
}

/** The one statement of an `if` or a loop that has no braces. */
function isLoneStatement(node: ts.Node): boolean {
  const { parent } = node;
  if (ts.isBlock(node)) return false;
  if (ts.isIfStatement(parent)) {
    return parent.thenStatement === node || parent.elseStatement === node;
  }
  return ts.isIterationStatement(parent, false) && parent.statement === node;
}

/** From the end of the text backwards; at one offset, what goes in first stands last. */
function withProbes(text: string, regions: readonly Region[], id: string): string {
  const closes = regions.map(({ end, close }, order) => ({
    edit: { start: end, end, replacement: close },
    rank: order - regions.length,
  }));
  const opens = regions.map(({ start, open }, order) => ({
    edit: {
      start,
      end: start,
      replacement: `${open}met_("${id}:${order}")${open === "(" ? "," : ";"}`,
    },
    rank: -order - 2 * regions.length,
  }));
  const edits = [...opens, ...closes].sort((a, b) =>
    b.edit.start - a.edit.start || a.rank - b.rank
  );
  return edits.reduce((changed, { edit }) => applied(changed, edit), text);
}
