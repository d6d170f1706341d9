import { assertEquals } from "@std/assert";
import ts from "typescript";

/**
 * Words and turns that users must not meet, with what to write instead. A string or a document
 * that has one fails.
 */
const REPLACEMENTS: readonly (readonly [wrong: RegExp, instead: string])[] = [
  [/\b(?:whoever|whomever)\b/i, "every client/user that …"],
  [/\bwhatever\b/i, "regardless of, any"],
  [/\bnobody\b/i, "no + noun; not"],
  [/\bfor good\b/i, "permanently"],
  [/\bways? (?:in|out)\b/i, "transport, listener"],
  [/\bwhat (?:became|becomes) of\b/i, "result, outcome"],
  [/\b(?:tell|tells|telling|told)\b/i, "notify, report, show, say"],
  [/\b(?:hear|hears|heard)\b/i, "receive"],
  [/\b(?:time|it|that) is over\b/i, "expired"],
  [/\bcame back\b/i, "bounced, reconnected"],
  [/\bworthless\b/i, "revoked, invalid"],
  [/\bforget the\b/i, "clear, delete"],
  [/\bif it is there\b/i, "if it exists"],
  [/\bwhere not given\b/i, "Default: …"],
  [/\bin trouble\b/i, "with problems"],
  [/\bby hand\b/i, "by an operator"],
  [/\btaken for\b/i, "treated as, considered"],
  [/\btaken apart\b/i, "parsed, converted"],
  [/\bhands? in mail\b/i, "submit mail"],
  [/\bsend to any(?:body|one)\b/i, "relay to any domain"],
  [/\ball is well\b/i, "no problems"],
  [/\bof its own accord\b/i, "automatically"],
  [/\bgo(?:es)? another way\b/i, "takes another transport"],
  [/\b(?:is|was|are|were) meant\b/i, "selected"],
];

/** Documents, and the sources: most of their strings reach users, in replies, logs and pages. */
const DOCUMENTS = ["README.md", "docs", "src"];
const SOURCES = ["src"];

const ROOT = new URL("../../", import.meta.url);

Deno.test("documents speak plainly", async () => {
  const found: string[] = [];
  for (const path of await filesBelow(DOCUMENTS, /\.md$/)) {
    const text = await read(path);
    // The glossary names the words that it replaces.
    const shown = path === "src/GLOSSARY.md" ? text.slice(0, text.indexOf("## Names to")) : text;
    found.push(...wrongWords(withoutCode(shown)).map((wrong) => `${path}: ${wrong}`));
  }
  assertEquals(found, []);
});

Deno.test("what users read of the program speaks plainly", async () => {
  const found: string[] = [];
  for (const path of await filesBelow(SOURCES, /\.tsx?$/)) {
    const source = await read(path);
    if (wrongWords(source).length === 0) continue; // spares most files the parser
    for (const { text, line } of stringsOf(source, path)) {
      found.push(...wrongWords(text).map((wrong) => `${path}:${line}: ${wrong}`));
    }
  }
  assertEquals(found, []);
});

Deno.test("a wrong word is found in strings, templates and pages, not in code or comments", () => {
  const source = [
    'import x from "./nobody.ts";',
    "// whatever",
    'const a = "nobody is here";',
    "const b = `Whoever is ${one('told of')} it`;",
    'const c = <p title="way out">came {"back"} whatever</p>;',
    'const d = { "whatever": 1, kind: "nobody" };',
  ].join("\n");
  assertEquals(
    stringsOf(source, "sample.tsx").flatMap(({ text, line }) =>
      wrongWords(text).map((wrong) => `${line}: ${wrong.replace(/ in .*/, "")}`)
    ),
    ['3: "nobody"', '4: "Whoever"', '4: "told"', '5: "way out"', '5: "whatever"'],
  );
});

/** `"whatever" in "…": write …` for each. */
function wrongWords(text: string): string[] {
  return REPLACEMENTS.flatMap(([wrong, instead]) => {
    const match = wrong.exec(text);
    if (match === null) return [];
    const around = text.slice(Math.max(0, match.index - 30), match.index + 50).replace(/\s+/g, " ");
    return [`"${match[0]}" in "${around}": write ${instead}`];
  });
}

/** A document without code blocks, code spans and addresses of links. */
function withoutCode(text: string): string {
  return text.replaceAll(/^```[\s\S]*?^```/gm, "").replaceAll(/`[^`]*`/g, "")
    .replaceAll(/\]\([^)]*\)/g, "]");
}

/** The strings and JSX texts of a source that have more than one word, each with its line. */
function stringsOf(source: string, path: string): { text: string; line: number }[] {
  const kind = path.endsWith("x") ? ts.ScriptKind.TSX : ts.ScriptKind.TS;
  const file = ts.createSourceFile(path, source, ts.ScriptTarget.Latest, true, kind);
  const found: { text: string; line: number }[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return;
    if (ts.isLiteralTypeNode(node)) return;
    const isText = ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node) ||
      ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node) || ts.isJsxText(node);
    const isSql = isText && /\b(?:CREATE|ALTER) (?:TABLE|INDEX)\b/.test(node.text);
    if (isText && !isSql && /\w\s+\w|\s\w|\w\s/.test(node.text.trimEnd())) {
      const { line } = file.getLineAndCharacterOfPosition(node.getStart(file));
      found.push({ text: node.text, line: line + 1 });
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

/** Paths of files that match, from the root of the repository. */
async function filesBelow(places: readonly string[], name: RegExp): Promise<string[]> {
  const found: string[] = [];
  for (const place of places) {
    if (/\.\w+$/.test(place)) {
      found.push(place);
      continue;
    }
    for await (const entry of Deno.readDir(new URL(`${place}/`, ROOT))) {
      const path = `${place}/${entry.name}`;
      if (entry.isDirectory) found.push(...await filesBelow([path], name));
      else if (name.test(path)) found.push(path);
    }
  }
  return found.toSorted();
}

function read(path: string): Promise<string> {
  return Deno.readTextFile(new URL(path, ROOT));
}
