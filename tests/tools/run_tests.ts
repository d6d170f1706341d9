/**
 * The test task: format, lint with the room table, types, then all tests in parallel. The last
 * line is `N passed, N failed, N skipped`, where each of the three checks counts as one test.
 * Arguments go to `deno test`: paths, `--filter`.
 */
import manifest from "../../deno.json" with { type: "json" };
import { countTests, type TestCounts } from "./junit.ts";

/** The product's packages and those that only tests use; the config of the product has no others. */
const TESTS_CONFIG = "--config=tests/deno.json";

interface Check {
  readonly name: string;
  readonly args: readonly string[];
}

const CHECKS: readonly Check[] = [
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

/** Runs everything, the checks beside the tests, and returns the exit status. */
async function main(testArgs: readonly string[]): Promise<number> {
  const checking = CHECKS.map(check);
  const tests = await runTests(testArgs);
  const failed = [...tests.failed];
  for (const { name, args, isPassed, output } of await Promise.all(checking)) {
    report(`--- ${name}: deno ${args.join(" ")}: ${isPassed ? "passed" : `failed\n${output}`}`);
    if (!isPassed) failed.unshift(name);
  }
  if (tests.skipped.length > 0) report(["", "skipped:", ...tests.skipped].join("\n  "));
  if (failed.length > 0) report(["", "failed:", ...failed].join("\n  "));
  report("");
  const passed = CHECKS.length + tests.passed + tests.failed.length - failed.length;
  report(`${passed} passed, ${failed.length} failed, ${tests.skipped.length} skipped`);
  return failed.length === 0 ? 0 : 1;
}

async function check(
  { name, args }: Check,
): Promise<Check & { isPassed: boolean; output: string }> {
  const command = new Deno.Command(Deno.execPath(), { args: [...args], stdin: "null" });
  const { success, stdout, stderr } = await command.output();
  const [out, err] = [stdout, stderr].map((octets) => new TextDecoder().decode(octets));
  return { name, args, isPassed: success, output: `${out}${err}` };
}

async function runTests(testArgs: readonly string[]): Promise<TestCounts> {
  const folder = await Deno.makeTempDir({ prefix: "posthouse-tests-" });
  const reportPath = `${folder}/junit.xml`;
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
    ], { env: await bundledProgram(folder) });
    const counts = countTests(await Deno.readTextFile(reportPath));
    // A module that fails to load has no test case of its own.
    const isUnexplained = status !== 0 && counts.failed.length === 0;
    return isUnexplained ? { ...counts, failed: [`deno test: status ${status}`] } : counts;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Makes the bundle, so that hundreds of relays start from one file; where it fails, a test says so. */
async function bundledProgram(folder: string): Promise<Record<string, string>> {
  const [, ...args] = manifest.tasks.bundle.command.replace("dist/", `${folder}/bundle/`).split(
    " ",
  );
  const status = await runDeno(args);
  return status === 0 ? { POSTHOUSE_PROGRAM: `${folder}/bundle/main.js` } : {};
}

async function runDeno(
  args: readonly string[],
  { env = {} }: { env?: Record<string, string> } = {},
): Promise<number> {
  const command = new Deno.Command(Deno.execPath(), { args: [...args], env, stdin: "null" });
  return (await command.spawn().status).code;
}

function report(line: string): void {
  // deno-lint-ignore no-console
  console.log(line);
}
