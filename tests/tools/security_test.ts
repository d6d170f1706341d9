import { assert, assertEquals } from "@std/assert";

const ROOT = new URL("../../", import.meta.url);
const LISTENERS = [
  ...["SMTP", "Submission", "Admin API and dashboard", "Mail by HTTP", "Events of providers"],
  ...["Metrics", "Next hops and the web", "DNS", "Local users"],
];

Deno.test("every line of the threat model names tests that are there", async () => {
  const text = await Deno.readTextFile(new URL("src/SECURITY.md", ROOT));
  const model = text.slice(text.indexOf("## Threats"));
  for (const listener of LISTENERS) assert(model.includes(`### ${listener}\n`), listener);
  const rows = model.split("\n").filter((line) => /^\| (?!who could|-)/.test(line));
  assert(rows.length >= 30);
  for (const row of rows) {
    const named = [...row.matchAll(/`(tests\/[\w/]+\.ts)`/g)].map(([, path = ""]) => path);
    assert(named.length > 0, row);
    for (const path of named) {
      assert((await Deno.stat(new URL(path, ROOT))).isFile, path);
      assertEquals(/\bDeno\.test\b|\bdefine\w*\(/.test(await read(path)), true, path);
    }
  }
});

Deno.test("the README leads to it", async () => {
  assert((await read("README.md")).includes("(src/SECURITY.md)"));
});

function read(path: string): Promise<string> {
  return Deno.readTextFile(new URL(path, ROOT));
}
