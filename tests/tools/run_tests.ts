/**
 * The test task: format, lint with the room table, types, then all tests in parallel. The last
 * line is `N passed, N failed, N skipped`, where each of the three checks counts as one test.
 * Arguments go to `deno test`: paths, `--filter`.
 */
import { countTests, type TestCounts } from "./junit.ts";

/** The product's packages and those that only tests use; the config of the product has no others. */
const TESTS_CONFIG = "--config=tests/deno.json";

const CHECKS: readonly { readonly name: string; readonly args: readonly string[] }[] = [
  { name: "format", args: ["fmt", "--check"] },
  { name: "lint", args: ["lint"] },
  { name: "types", args: ["check", "--quiet", TESTS_CONFIG, "src", "tests"] },
];

/** No native code. Sockets are not narrowed to loopback: that would rule out Unix sockets too. */
const TEST_PERMISSIONS = [
  "--allow-read",
  "--allow-write",
  "--allow-env",
  "--allow-sys",
  "--allow-run",
  "--allow-net",
];

if (import.meta.main) Deno.exit(await main(Deno.args));

/** Runs everything, also after a failure, and returns the exit status. */
async function main(testArgs: readonly string[]): Promise<number> {
  const passedChecks: string[] = [];
  const failedChecks: string[] = [];
  for (const { name, args } of CHECKS) {
    report(`--- ${name}: deno ${args.join(" ")}`);
    (await runDeno(args) === 0 ? passedChecks : failedChecks).push(name);
  }
  const tests = await runTests(testArgs);
  const failed = [...failedChecks, ...tests.failed];
  if (tests.skipped.length > 0) report(["", "skipped:", ...tests.skipped].join("\n  "));
  if (failed.length > 0) report(["", "failed:", ...failed].join("\n  "));
  report("");
  const passed = passedChecks.length + tests.passed;
  report(`${passed} passed, ${failed.length} failed, ${tests.skipped.length} skipped`);
  return failed.length === 0 ? 0 : 1;
}

async function runTests(testArgs: readonly string[]): Promise<TestCounts> {
  const reportPath = await Deno.makeTempFile({ prefix: "posthouse-junit-", suffix: ".xml" });
  try {
    report("--- tests");
    const status = await runDeno([
      "test",
      TESTS_CONFIG,
      "--parallel",
      "--no-check", // done above
      "--no-prompt",
      `--junit-path=${reportPath}`,
      ...TEST_PERMISSIONS,
      ...testArgs,
    ]);
    const counts = countTests(await Deno.readTextFile(reportPath));
    // A module that fails to load has no test case of its own.
    const isUnexplained = status !== 0 && counts.failed.length === 0;
    return isUnexplained ? { ...counts, failed: [`deno test: status ${status}`] } : counts;
  } finally {
    await Deno.remove(reportPath);
  }
}

async function runDeno(args: readonly string[]): Promise<number> {
  const command = new Deno.Command(Deno.execPath(), { args: [...args], stdin: "null" });
  return (await command.spawn().status).code;
}

function report(line: string): void {
  // deno-lint-ignore no-console
  console.log(line);
}
