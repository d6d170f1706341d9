/** Calls: dropped, not awaited, with the wrong arguments, or of the method beside it. */
import ts from "typescript";
import type { Edit } from "../mutant.ts";
import type { Context, Operator } from "../operators.ts";
import { dropFrom, replace, swap } from "./edits.ts";

const SIBLINGS: ReadonlyMap<string, string> = new Map([
  ["min", "max"],
  ["max", "min"],
  ["some", "every"],
  ["every", "some"],
  ["ceil", "floor"],
  ["floor", "ceil"],
  ["startsWith", "endsWith"],
  ["endsWith", "startsWith"],
  ["push", "unshift"],
  ["shift", "pop"],
  ["indexOf", "lastIndexOf"],
  ["lastIndexOf", "indexOf"],
  ["all", "race"],
]);

export const CALL_OPERATORS: Readonly<Record<string, Operator>> = {
  "dropped await": (node) => {
    if (!ts.isAwaitExpression(node)) return [];
    const { parent } = node;
    const isMissed = ts.isExpressionStatement(parent) ||
      (ts.isReturnStatement(parent) && isWaitedFor(parent));
    return isMissed ? [replace(node, node.expression.getText())] : [];
  },
  "dropped call": (node, context) => ts.isCallExpression(node) ? withoutCall(node, context) : [],
  "sibling method": (node) => {
    if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) return [];
    const sibling = SIBLINGS.get(node.expression.name.text);
    return sibling === undefined ? [] : [replace(node.expression.name, sibling)];
  },
  "swapped arguments": (node, { checker }) => {
    const list = hasNoOrder(node) ? [] : argumentsOf(node);
    return list.slice(1).flatMap((second, index) => {
      const first = list[index] as ts.Expression;
      if (first.getText() === second.getText()) return [];
      return areAlike(first, second, checker) ? [swap(first, second)] : [];
    });
  },
  "dropped argument": (node) => {
    const list = argumentsOf(node);
    return list.length > 1 ? [dropFrom(list, list.length - 1)] : [];
  },
};

/** Whether something happens in the function after a promise is returned, as in a `finally`. */
function isWaitedFor(node: ts.Node): boolean {
  const { parent } = node;
  if (parent === undefined || ts.isFunctionLike(node)) return false;
  if (ts.isTryStatement(parent) && node === parent.tryBlock) return true;
  if (ts.isTryStatement(parent) && parent.finallyBlock !== undefined) return true;
  if (
    ts.isBlock(node) && node.statements.some((one) => /^(await\s+)?using\b/.test(one.getText()))
  ) {
    return true;
  }
  return isWaitedFor(parent);
}

/** The least and the greatest of some numbers are the same in any order. */
function hasNoOrder(node: ts.Node): boolean {
  return ts.isCallExpression(node) && /^Math\.(?:min|max)$/.test(node.expression.getText());
}

function argumentsOf(node: ts.Node): ts.NodeArray<ts.Expression> {
  const isCall = ts.isCallExpression(node) || ts.isNewExpression(node);
  return (isCall ? node.arguments : undefined) ?? ts.factory.createNodeArray();
}

/** What the call was made on, or its only argument, where that has the type of the result. */
function withoutCall(node: ts.CallExpression, { checker }: Context): readonly Edit[] {
  if (ts.isExpressionStatement(node.parent)) return [];
  const [only, ...more] = node.arguments;
  const inner = ts.isPropertyAccessExpression(node.expression)
    ? node.expression.expression
    : (more.length === 0 ? only : undefined);
  if (inner === undefined || !areAlike(node, inner, checker)) return [];
  return [replace(node, inner.getText())];
}

function areAlike(one: ts.Node, other: ts.Node, checker: ts.TypeChecker): boolean {
  const [left, right] = [one, other].map((node) =>
    checker.getBaseTypeOfLiteralType(checker.getTypeAtLocation(node))
  ) as [ts.Type, ts.Type];
  const isKnown = ((left.flags | right.flags) & ts.TypeFlags.Any) === 0;
  return isKnown && checker.isTypeAssignableTo(left, right) &&
    checker.isTypeAssignableTo(right, left);
}
