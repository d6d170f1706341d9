/** Statements that somebody forgot: calls, assignments, early ends, the care after a failure. */
import ts from "typescript";
import type { Operator } from "../operators.ts";
import { replace } from "./edits.ts";

export const STATEMENT_OPERATORS: Readonly<Record<string, Operator>> = {
  "removed statement": (node) => isRemovable(node) ? [replace(node, ";")] : [],
  "removed early end": (node) =>
    ts.isIfStatement(node) && node.elseStatement === undefined && endsEarly(node.thenStatement)
      ? [replace(node, ";")]
      : [],
  "removed else": (node) =>
    ts.isIfStatement(node) && node.elseStatement !== undefined
      ? [replace(node.elseStatement, "{}")]
      : [],
  "emptied finally": (node) =>
    ts.isTryStatement(node) && (node.finallyBlock?.statements.length ?? 0) > 1
      ? [replace(node.finallyBlock as ts.Block, "{}")]
      : [],
  "not disposed": (node) => {
    if (!ts.isVariableDeclarationList(node)) return [];
    const word = /^(await\s+)?using\b/.exec(node.getText())?.[0];
    if (word === undefined) return [];
    const start = node.getStart();
    return [{ start, end: start + word.length, replacement: "const" }];
  },
};

function isRemovable(node: ts.Node): boolean {
  if (ts.isBreakStatement(node)) return !ts.isCaseClause(node.parent);
  if (ts.isContinueStatement(node) || ts.isThrowStatement(node)) return true;
  if (!ts.isExpressionStatement(node)) return false;
  const { expression } = node;
  const isSuper = ts.isCallExpression(expression) &&
    expression.expression.kind === ts.SyntaxKind.SuperKeyword;
  return !isSuper && !ts.isStringLiteral(expression);
}

function endsEarly(node: ts.Statement): boolean {
  const last = ts.isBlock(node) ? node.statements.at(-1) : node;
  return last !== undefined && (ts.isReturnStatement(last) || ts.isThrowStatement(last) ||
    ts.isContinueStatement(last) || ts.isBreakStatement(last));
}
