/**
 * The mistakes: each operator looks at one node of the syntax and says what somebody could have
 * written there instead.
 */
import ts from "typescript";
import { describeEdit, type Edit, type Mutant } from "./mutant.ts";
import { CALL_OPERATORS } from "./operators/calls.ts";
import { CONDITION_OPERATORS } from "./operators/conditions.ts";
import { STATEMENT_OPERATORS } from "./operators/statements.ts";
import { VALUE_OPERATORS } from "./operators/values.ts";

/** What an operator may ask besides the node. */
export interface Context {
  readonly source: ts.SourceFile;
  readonly checker: ts.TypeChecker;
}

/** What it would put in the place of a node; nothing where it does not apply. */
export type Operator = (node: ts.Node, context: Context) => readonly Edit[];

const OPERATORS: Readonly<Record<string, Operator>> = {
  ...CONDITION_OPERATORS,
  ...VALUE_OPERATORS,
  ...CALL_OPERATORS,
  ...STATEMENT_OPERATORS,
};

/** Every mutant of a file, in the order of its text; `path` is what reports call it. */
export function mutantsOf(context: Context, { path }: { path: string }): readonly Mutant[] {
  const found = new Map<string, Mutant>();
  const source = context.source.text;
  const visit = (node: ts.Node): void => {
    if (isLeftAlone(node)) return;
    for (const [operator, edits] of Object.entries(OPERATORS)) {
      for (const edit of edits(node, context)) {
        const key = `${edit.start} ${edit.end} ${edit.replacement}`;
        if (!found.has(key)) found.set(key, describeEdit(edit, { path, operator, source }));
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(context.source);
  return [...found.values()];
}

/** Types and imports do nothing at run time. */
function isLeftAlone(node: ts.Node): boolean {
  return ts.isTypeNode(node) || ts.isImportDeclaration(node) || ts.isInterfaceDeclaration(node) ||
    ts.isTypeAliasDeclaration(node) || ts.isExportDeclaration(node);
}
