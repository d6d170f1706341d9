/** Edits, from nodes. */
import type ts from "typescript";
import type { Edit } from "../mutant.ts";

/** Puts this text in the place of the node. */
export function replace(node: ts.Node, replacement: string): Edit {
  return { start: node.getStart(), end: node.getEnd(), replacement };
}

/** Exchanges two nodes, the first of which stands first. */
export function swap(first: ts.Node, second: ts.Node): Edit {
  const text = first.getSourceFile().text;
  const between = text.slice(first.getEnd(), second.getStart());
  return {
    start: first.getStart(),
    end: second.getEnd(),
    replacement: `${second.getText()}${between}${first.getText()}`,
  };
}

/** Takes one of a list's nodes away, with the comma that belongs to it. */
export function dropFrom(list: ts.NodeArray<ts.Node>, index: number): Edit {
  const node = list[index] as ts.Node;
  const next = list[index + 1];
  const before = list[index - 1];
  if (next !== undefined) {
    return { start: node.getStart(), end: next.getStart(), replacement: "" };
  }
  return { start: before?.getEnd() ?? node.getStart(), end: node.getEnd(), replacement: "" };
}
