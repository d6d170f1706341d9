/** Constants: numbers, booleans, reply codes and the words of states. */
import ts from "typescript";
import type { Edit } from "../mutant.ts";
import type { Context, Operator } from "../operators.ts";
import { dropFrom, replace } from "./edits.ts";

const ENHANCED_CODE = /^([245])\.(\d{1,3})\.(\d{1,3})$/;

export const VALUE_OPERATORS: Readonly<Record<string, Operator>> = {
  "boolean": (node) => {
    if (node.kind === ts.SyntaxKind.TrueKeyword) return [replace(node, "false")];
    return node.kind === ts.SyntaxKind.FalseKeyword ? [replace(node, "true")] : [];
  },
  "number": (node) => ts.isNumericLiteral(node) ? otherNumbers(node) : [],
  "step": (node) => {
    if (!ts.isPrefixUnaryExpression(node) && !ts.isPostfixUnaryExpression(node)) return [];
    const operand = node.operand.getText();
    if (node.operator === ts.SyntaxKind.PlusPlusToken) return [replace(node, `${operand}--`)];
    return node.operator === ts.SyntaxKind.MinusMinusToken ? [replace(node, `${operand}++`)] : [];
  },
  "enhanced code": (node) => {
    const match = ts.isStringLiteralLike(node) ? ENHANCED_CODE.exec(node.text) : null;
    if (match === null) return [];
    const [, digit, subject, detail] = match;
    return [replace(node, `"${digit === "4" ? "5" : "4"}.${subject}.${detail}"`)];
  },
  "word": (node, context) => ts.isStringLiteral(node) ? otherWords(node, context) : [],
  "dropped property": (node, context) => {
    if (!ts.isObjectLiteralExpression(node)) return [];
    return node.properties.flatMap((property, index) =>
      mayBeMissing(property, context) ? [dropFrom(node.properties, index)] : []
    );
  },
};

function otherNumbers(node: ts.NumericLiteral): readonly Edit[] {
  const value = Number(node.text);
  const isCode = Number.isInteger(value) && value >= 211 && value <= 599 &&
    /code|status|reply/i.test(node.parent.getText());
  if (isCode) return [replace(node, String(value >= 500 ? value - 100 : value + 100))];
  if (value === 0) return [replace(node, "1")];
  if (value > 20) return [replace(node, String(value * 2))];
  return [replace(node, String(value + 1)), replace(node, String(value - 1))];
}

/** Another word that the type allows there, the same one each time. */
function otherWords(node: ts.StringLiteral, { checker }: Context): readonly Edit[] {
  const type = expectedType(node, checker);
  if (type === undefined) return [];
  const words = unionOf(type).flatMap((member) => member.isStringLiteral() ? [member.value] : []);
  const others = words.filter((word) => word !== node.text).sort();
  const other = others[node.getStart() % others.length];
  return other === undefined || !words.includes(node.text)
    ? []
    : [replace(node, JSON.stringify(other))];
}

function expectedType(node: ts.StringLiteral, checker: ts.TypeChecker): ts.Type | undefined {
  const { parent } = node;
  if (ts.isPropertyAssignment(parent) && parent.name === node) return undefined;
  if (ts.isBinaryExpression(parent) && /^[!=]==$/.test(parent.operatorToken.getText())) {
    const other = parent.left === node ? parent.right : parent.left;
    return checker.getTypeAtLocation(other);
  }
  if (ts.isCaseClause(parent)) {
    return checker.getTypeAtLocation(parent.parent.parent.expression);
  }
  return checker.getContextualType(node);
}

function unionOf(type: ts.Type): readonly ts.Type[] {
  return type.isUnion() ? type.types : [type];
}

function mayBeMissing(property: ts.ObjectLiteralElementLike, { checker }: Context): boolean {
  if (ts.isSpreadAssignment(property)) return true;
  const name = property.name?.getText();
  const type = checker.getContextualType(property.parent as ts.ObjectLiteralExpression);
  if (name === undefined || type === undefined) return false;
  const declared = checker.getNonNullableType(type).getProperty(name);
  return declared !== undefined && (declared.flags & ts.SymbolFlags.Optional) !== 0;
}
