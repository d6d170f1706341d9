import { assertEquals } from "@std/assert";
import ts from "typescript";
import { applied, mutantKey } from "./mutant.ts";
import { mutantsOf } from "./operators.ts";

/** The changes to a piece of code, by operator. Globals it needs are declared in the piece. */
function changes(text: string): Record<string, string[]> {
  const found: Record<string, string[]> = {};
  for (const { operator, change } of mutants(text)) (found[operator] ??= []).push(change);
  return found;
}

function mutants(text: string) {
  const source = ts.createSourceFile("/code.ts", text, ts.ScriptTarget.ESNext, true);
  const host: ts.CompilerHost = {
    getSourceFile: (name) => name === "/code.ts" ? source : undefined,
    getDefaultLibFileName: () => "/lib.d.ts",
    writeFile: () => {},
    getCurrentDirectory: () => "/",
    getCanonicalFileName: (name) => name,
    useCaseSensitiveFileNames: () => true,
    getNewLine: () => "\n",
    fileExists: (name) => name === "/code.ts",
    readFile: () => text,
  };
  const checker = ts.createProgram(["/code.ts"], { noLib: true, strict: true }, host)
    .getTypeChecker();
  return mutantsOf({ source, checker }, { path: "src/code.ts" });
}

const CASES: readonly (readonly [string, Record<string, readonly string[]>])[] = [
  ["declare const a: boolean, b: boolean; const c = a && b;", {
    "and, or": ["&& → ||"],
    "dropped operand": ["a && b → a", "a && b → b"],
  }],
  ["declare const n: number; const c = n < 9;", {
    "bound": ["< → <="],
    "number": ["9 → 10", "9 → 8"],
  }],
  ["declare const a: boolean; declare function f(): void; if (!a) f();", {
    "dropped negation": ["!a → a"],
    "removed statement": ["f(); → ;"],
  }],
  ["declare function f(a: string, b: string): number; const c = f('x', 'y');", {
    "swapped arguments": ["'x', 'y' → 'y', 'x'"],
    "dropped argument": [", 'y' → "],
  }],
  [
    "declare const Math: { max(a: number, b: number): number }, a: number, b: number; Math.max(a, b);",
    {
      "sibling method": ["max → min"],
      "dropped argument": [", b → "],
      "removed statement": ["Math.max(a, b); → ;"],
    },
  ],
  ["declare function f(): Promise<void>; const g = async () => { await f(); };", {
    "dropped await": ["await f() → f()"],
    "removed statement": ["await f(); → ;"],
  }],
  ["declare function f(): Promise<void>; const g = async () => { return await f(); };", {}],
  [
    "declare function f(): Promise<void>; const g = async () => { try { return await f(); } catch {} };",
    {
      "dropped await": ["await f() → f()"],
    },
  ],
  [
    "declare function f(): Promise<void>; const g = async () => { using a = null; return await f(); };",
    {
      "dropped await": ["await f() → f()"],
      "not disposed": ["using → const"],
    },
  ],
  ["const state: 'queued' | 'held' = 'held';", { "word": [`'held' → "queued"`] }],
  ["const code = 450; const enhanced = '4.7.1';", {
    "number": ["450 → 550"],
    "enhanced code": [`'4.7.1' → "5.7.1"`],
  }],
  ["declare const t: { low(): typeof t }; const u = t.low();", {
    "dropped call": ["t.low() → t"],
  }],
  ["declare const t: unknown; { using u = t; }", { "not disposed": ["using → const"] }],
  ["interface A { b?: number } declare const b: number; const a: A = { b };", {
    "dropped property": ["b → "],
  }],
];

for (const [text, expected] of CASES) {
  Deno.test(`mutants of ${text}`, () => assertEquals(changes(text), expected));
}

Deno.test("types, imports and the words of messages are left alone", () => {
  assertEquals(changes(`interface A { b: 1 } type B = "x" | "y"; const text = "Sign in.";`), {});
});

Deno.test("a mutant keeps its name when lines move, and changes only its place", () => {
  const text = "declare const n: number; const c = n < 9;";
  const [first] = mutants(text);
  const [moved] = mutants(`// A line more.\n${text}`);
  assertEquals(mutantKey(first!), mutantKey(moved!));
  assertEquals(applied(text, first!), text.replace("<", "<="));
});
