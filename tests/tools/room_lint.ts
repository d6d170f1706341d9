/**
 * The room table as a lint rule: an import or a use of the runtime that crosses a wall is an
 * error at the place where it stands.
 */
import { importProblem, outsideProblem, roomOf, useProblem } from "./rooms.ts";

const GLOBALS = new Set([
  "Deno",
  "Date",
  "performance",
  "setTimeout",
  "setInterval",
  "fetch",
]);

const plugin: Deno.lint.Plugin = {
  name: "rooms",
  rules: {
    walls: {
      create(context) {
        const from = pathBelowSource(context.filename);
        return from === null ? {} : new Walls({ context, from }).visitor();
      },
    },
  },
};

export default plugin;

/** The path of a file below `src/`; null for files elsewhere and for declaration files. */
function pathBelowSource(filename: string): string | null {
  const path = filename.replaceAll("\\", "/");
  const match = /(?:^|\/)src\/((?:(?!\/src\/).)*)$/.exec(path);
  const below = match?.[1] ?? null;
  return below === null || below.endsWith(".d.ts") ? null : below;
}

class Walls {
  readonly #context: Deno.lint.RuleContext;
  readonly #from: string;

  constructor({ context, from }: { context: Deno.lint.RuleContext; from: string }) {
    this.#context = context;
    this.#from = from;
  }

  visitor(): Deno.lint.LintVisitor {
    return {
      Program: (node) => {
        if (roomOf(this.#from) === null) {
          this.#report(node, `${this.#from} stands in no room; name one in tests/tools/rooms.ts.`);
        }
      },
      ImportDeclaration: (node) =>
        this.#checkModule(node, { source: node.source, typeOnly: isTypeOnlyImport(node) }),
      ExportNamedDeclaration: (node) =>
        this.#checkModule(node, { source: node.source, typeOnly: node.exportKind === "type" }),
      ExportAllDeclaration: (node) =>
        this.#checkModule(node, { source: node.source, typeOnly: node.exportKind === "type" }),
      ImportExpression: (node) => this.#checkModule(node, { source: node.source, typeOnly: false }),
      TSImportType: (node) => this.#checkModule(node, { source: node.argument, typeOnly: true }),
      // A worker's module: new URL("./worker.ts", import.meta.url).
      NewExpression: (node) => {
        if (node.callee.type === "Identifier" && node.callee.name === "URL") {
          this.#checkModule(node, { source: node.arguments[0] ?? null, typeOnly: false });
        }
      },
      Identifier: (node) => this.#checkGlobal(node),
    };
  }

  #checkModule(
    node: Deno.lint.Node,
    { source, typeOnly }: { source: Deno.lint.Node | null; typeOnly: boolean },
  ): void {
    const specifier = literalText(source);
    if (specifier === null) return;
    if (!specifier.startsWith(".")) {
      this.#report(node, useProblem({ from: this.#from, use: specifier }));
      return;
    }
    const to = new URL(specifier, `file:///src/${this.#from}`).pathname;
    const problem = to.startsWith("/src/")
      ? importProblem({ from: this.#from, to: to.slice("/src/".length), typeOnly })
      : outsideProblem({ from: this.#from, to });
    this.#report(node, problem);
  }

  #checkGlobal(node: Deno.lint.Identifier): void {
    if (!GLOBALS.has(node.name)) return;
    const parent: Deno.lint.Node = node.parent;
    if (parent.type === "MemberExpression" && parent.property === node && !parent.computed) return;
    if (parent.type === "Property" && parent.key === node && parent.value !== node) return;
    const isMember = parent.type === "MemberExpression" && parent.object === node &&
      parent.property.type === "Identifier";
    const use = isMember ? `${node.name}.${memberName(parent)}` : node.name;
    this.#report(node, useProblem({ from: this.#from, use }));
  }

  #report(node: Deno.lint.Node, message: string | null): void {
    if (message !== null) this.#context.report({ node, message });
  }
}

function isTypeOnlyImport(node: Deno.lint.ImportDeclaration): boolean {
  if (node.importKind === "type") return true;
  return node.specifiers.length > 0 &&
    node.specifiers.every((specifier) =>
      specifier.type === "ImportSpecifier" && specifier.importKind === "type"
    );
}

function memberName(node: Deno.lint.MemberExpression): string {
  return node.property.type === "Identifier" ? node.property.name : "";
}

function literalText(node: Deno.lint.Node | null): string | null {
  if (node?.type === "TSLiteralType") return literalText(node.literal);
  return node?.type === "Literal" && typeof node.value === "string" ? node.value : null;
}
