/**
 * The mutation task: makes small mistakes in the sources, one at a time in a copy, and runs the
 * nearest tests on each. What survives is a mistake that no test would notice.
 */
import { parseArgs } from "@std/cli/parse-args";
import { join } from "node:path";
import { seededRandom, shuffled } from "../../src/base/random.ts";
import { EQUIVALENTS } from "./equivalents.ts";
import { Language } from "./language.ts";
import { applied, type Mutant, mutantKey } from "./mutant.ts";
import { filesBelow, nearestTests, roomOfPath } from "./nearest.ts";
import { mutantsOf } from "./operators.ts";
import { type Report, reportOf, reportText, survivorsIn } from "./report.ts";
import { Tree } from "./tree.ts";
import { type Baseline, baselines, tryMutant, type Verdict } from "./trial.ts";

const HELP = `Usage: deno task mutate [--room ROOM]... [OPTIONS]

Makes small mistakes in the sources and shows those that the nearest tests do not notice.

  --room ROOM           A room of tests/tools/rooms.ts, as delivery or smtp/client; all by default
  --file PATH           Only files whose path has this text
  --sample N            How many mutants of each room (default: 40)
  --seed N              Chooses the sample (default: 1)
  --survivors-of FILE   Tries the survivors of a report again, instead of a sample
  --budget SECONDS      The most that tests of other rooms take for one mutant (default: 30)
  --jobs N              How many mutants at once (default: 1)
  --report FILE         Writes the report as JSON
  --json                Prints the report as JSON
`;

interface Options {
  readonly root: string;
  readonly rooms: readonly string[];
  readonly file: string;
  readonly sample: number;
  readonly seed: number;
  readonly survivorsOf: string | undefined;
  readonly budgetMs: number;
  readonly jobs: number;
}

if (import.meta.main) Deno.exit(await main(Deno.args));

async function main(args: readonly string[]): Promise<number> {
  const flags = parseArgs([...args], {
    boolean: ["json", "help"],
    string: ["room", "file", "sample", "seed", "survivors-of", "budget", "jobs", "report"],
    collect: ["room"],
  });
  if (flags.help === true) return print(HELP);
  const options: Options = {
    root: new URL("../..", import.meta.url).pathname.replace(/\/$/, ""),
    rooms: (flags.room ?? []) as string[],
    file: String(flags.file ?? ""),
    sample: Number(flags.sample ?? 40),
    seed: Number(flags.seed ?? 1),
    survivorsOf: flags["survivors-of"] as string | undefined,
    budgetMs: Number(flags.budget ?? 30) * 1000,
    jobs: Number(flags.jobs ?? 1),
  };
  const report = await mutate(options);
  const json = JSON.stringify(report, null, 2);
  if (flags.report !== undefined) await Deno.writeTextFile(String(flags.report), `${json}\n`);
  return print(flags.json === true ? json : reportText(report));
}

async function mutate(options: Options): Promise<Report> {
  const mutants = await chosen(options);
  progress(`${mutants.length} mutants`);
  const equivalents = new Set(EQUIVALENTS.map(mutantKey));
  const tried = mutants.filter((mutant) => !equivalents.has(mutantKey(mutant)));
  const verdicts = await tryAll(tried, options);
  const spared = mutants.filter((mutant) => equivalents.has(mutantKey(mutant)));
  return reportOf({ seed: options.seed, verdicts, equivalents: spared });
}

/** The mutants to try: a sample of each room, or what an earlier report says survived. */
async function chosen(options: Options): Promise<readonly Mutant[]> {
  const paths = filesBelow(options.root, "src").filter((path) => path.includes(options.file));
  const scratch = await Deno.makeTempDir();
  try {
    const all = [...filesBelow(options.root, "src"), "src/std.d.ts"];
    const language = await Language.open(all.map((path) => join(options.root, path)), { scratch });
    const { survivorsOf } = options;
    if (survivorsOf !== undefined) return again(language, { ...options, paths, survivorsOf });
    const rooms = [...new Set(paths.map(roomOfPath))].filter((room) =>
      room !== null && (options.rooms.length === 0 || options.rooms.includes(room))
    );
    return rooms.flatMap((room) => {
      const inRoom = paths.filter((path) => roomOfPath(path) === room);
      return sample(language, { ...options, paths: inRoom });
    });
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
}

function again(
  language: Language,
  { root, paths, survivorsOf }: Options & { paths: readonly string[]; survivorsOf: string },
): readonly Mutant[] {
  const wanted = survivorsIn(JSON.parse(Deno.readTextFileSync(survivorsOf)));
  const inFiles = paths.filter((path) => wanted.some((survivor) => survivor.path === path));
  const keys = new Set(wanted.map(mutantKey));
  return candidates(language, { root, paths: inFiles }).filter((mutant) =>
    keys.has(mutantKey(mutant))
  );
}

/** Mutants in an order that the seed gives; what the compiler refuses is no mistake that lands. */
function sample(
  language: Language,
  { root, paths, sample, seed }: Options & { paths: readonly string[] },
): readonly Mutant[] {
  const taken: Mutant[] = [];
  for (const mutant of shuffled(candidates(language, { root, paths }), seededRandom(seed))) {
    if (taken.length >= sample) break;
    const path = join(root, mutant.path);
    const text = applied(Deno.readTextFileSync(path), mutant);
    if (!language.refuses(path, text)) taken.push(mutant);
  }
  return taken;
}

function candidates(
  language: Language,
  { root, paths }: { root: string; paths: readonly string[] },
): readonly Mutant[] {
  const program = language.program();
  return paths.flatMap((path) => {
    const source = program.getSourceFile(join(root, path));
    if (source === undefined) return [];
    return mutantsOf({ source, checker: program.getTypeChecker() }, { path });
  });
}

/** Each job has a tree of its own, and takes the next mutant when it is done with one. */
async function tryAll(mutants: readonly Mutant[], options: Options): Promise<readonly Verdict[]> {
  const { root, jobs, budgetMs } = options;
  const paths = [...new Set(mutants.map(({ path }) => path))];
  const rooms = [...new Set(mutants.map(({ path }) => roomOfPath(path) as string))];
  const tests = [...new Set(rooms.flatMap((room) => nearestTests(root, room)))];
  await using trees = new AsyncDisposableStack();
  const copies = await Promise.all(Array.from({ length: jobs }, () => Tree.copy(root, progress)));
  for (const tree of copies) trees.use(tree);
  const { files, probes } = await firstRuns(copies, { paths, tests });
  const verdicts: Verdict[] = [];
  const waiting = [...mutants];
  await Promise.all(copies.map(async (tree) => {
    for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
      const verdict = await tryMutant(mutant, { root, tree, probes, files, budgetMs });
      verdicts.push(verdict);
      const { path, line, change } = mutant;
      progress(`${verdicts.length}/${mutants.length} ${verdict.kind} ${path}:${line} ${change}`);
    }
  }));
  return verdicts;
}

/** Runs every test file once, with probes in the files that will change. */
async function firstRuns(
  trees: readonly Tree[],
  { paths, tests }: { paths: readonly string[]; tests: readonly string[] },
) {
  progress(`${tests.length} test files run once without a change`);
  const waiting = [...tests];
  const files: Baseline[] = [];
  const probes = await Promise.all(trees.map((tree) =>
    tree.withProbes(paths, async (probes) => {
      for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
        files.push(...await baselines(tree, { tests: [path], report: progress }));
      }
      return probes;
    })
  ));
  return { files, probes: probes[0] ?? new Map() };
}

function progress(line: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`${line}\n`));
}

function print(text: string): number {
  // deno-lint-ignore no-console
  console.log(text);
  return 0;
}
