/** Conditions and bounds. */
import ts from "typescript";
import type { Edit } from "../mutant.ts";
import type { Operator } from "../operators.ts";
import { replace } from "./edits.ts";

const BOUNDS: Readonly<Record<string, string>> = { "<": "<=", "<=": "<", ">": ">=", ">=": ">" };
const EQUALITY: Readonly<Record<string, string>> = { "===": "!==", "!==": "===" };
const ARITHMETIC: Readonly<Record<string, string>> = {
  "+": "-",
  "-": "+",
  "*": "/",
  "/": "*",
  "+=": "-=",
  "-=": "+=",
  "??=": "=",
  "||=": "=",
  "&&=": "=",
};

export const CONDITION_OPERATORS: Readonly<Record<string, Operator>> = {
  "negated condition": (node) => {
    const condition = conditionOf(node);
    if (condition === null) return [];
    if (ts.isBinaryExpression(condition) && condition.operatorToken.getText() in EQUALITY) {
      return [];
    }
    if (ts.isPrefixUnaryExpression(condition)) return [];
    return [replace(condition, `!(${condition.getText()})`)];
  },
  "dropped negation": (node) =>
    ts.isPrefixUnaryExpression(node) && node.operator === ts.SyntaxKind.ExclamationToken
      ? [replace(node, node.operand.getText())]
      : [],
  "equality": (node) => swappedOperator(node, EQUALITY),
  "bound": (node) => swappedOperator(node, BOUNDS),
  "arithmetic": (node, context) =>
    isText(node, context.checker) ? [] : swappedOperator(node, ARITHMETIC),
  "and, or": (node) => swappedOperator(node, { "&&": "||", "||": "&&" }),
  "dropped operand": (node) => {
    if (!ts.isBinaryExpression(node)) return [];
    if (!["&&", "||", "??"].includes(node.operatorToken.getText())) return [];
    return [replace(node, node.left.getText()), replace(node, node.right.getText())];
  },
  "chosen arm": (node) =>
    ts.isConditionalExpression(node)
      ? [replace(node, node.whenTrue.getText()), replace(node, node.whenFalse.getText())]
      : [],
};

function conditionOf(node: ts.Node): ts.Expression | null {
  if (ts.isIfStatement(node) || ts.isWhileStatement(node)) return node.expression;
  return null;
}

function swappedOperator(
  node: ts.Node,
  others: Readonly<Record<string, string>>,
): readonly Edit[] {
  if (!ts.isBinaryExpression(node)) return [];
  const other = others[node.operatorToken.getText()];
  return other === undefined ? [] : [replace(node.operatorToken, other)];
}

function isText(node: ts.Node, checker: ts.TypeChecker): boolean {
  return ts.isBinaryExpression(node) &&
    checker.isTypeAssignableTo(checker.getTypeAtLocation(node), checker.getStringType());
}
