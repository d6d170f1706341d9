/** Reads the JUnit report of `deno test`, of which only names and results are of interest. */

/** What became of the tests of one run. */
export interface TestCounts {
  readonly passed: number;
  readonly failed: readonly string[];
  readonly skipped: readonly string[];
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&lt;": "<",
  "&gt;": ">",
  "&quot;": '"',
  "&apos;": "'",
  "&amp;": "&",
};

/** Counts the test cases of a report; steps count as cases. */
export function countTests(report: string): TestCounts {
  let passed = 0;
  const failed: string[] = [];
  const skipped: string[] = [];
  // Text inside the report is escaped, so the tag cannot stand in a message.
  for (const piece of report.split("<testcase ").slice(1)) {
    const name = unescape(/^name="([^"]*)"/.exec(piece)?.[1] ?? "");
    if (piece.includes("<skipped")) skipped.push(name);
    else if (piece.includes("<failure")) failed.push(name);
    else passed += 1;
  }
  return { passed, failed, skipped };
}

function unescape(text: string): string {
  return text.replace(/&(?:lt|gt|quot|apos|amp);/g, (entity) => ENTITIES[entity] ?? entity);
}
