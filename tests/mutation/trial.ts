/** Does a test notice? Tries mutants on the tests that come through the place of the change. */
import type { Mutant } from "./mutant.ts";
import { nearestTests, roomOfPath } from "./nearest.ts";
import type { Probed } from "./probes.ts";
import type { Tree } from "./tree.ts";

/** How one mutant fared. */
export interface Verdict {
  readonly mutant: Mutant;
  readonly room: string;
  readonly kind: "noticed" | "survived";
  /** The tests that noticed, or the test files that did not. */
  readonly by: readonly string[];
}

/** A test file as it runs on the code as it is. */
export interface Baseline {
  readonly path: string;
  readonly ms: number;
  readonly met: ReadonlySet<string>;
}

/** Runs a few files in one process: starting one costs more than most tests. */
const BATCH_MS = 4000;
/** A failure of a longer file is tried again: it may be the load of the machine. */
const DOUBTFUL_MS = 2500;

/** The longest that a run of these files may take before it counts as a hang. */
function limitMs(files: readonly Baseline[]): number {
  return 15_000 + 4 * files.reduce((sum, { ms }) => sum + ms, 0);
}

/** Runs each test file once with probes in place. Those that fail are left out and told of. */
export async function baselines(
  tree: Tree,
  { tests, report }: { tests: readonly string[]; report: (line: string) => void },
): Promise<readonly Baseline[]> {
  const found: Baseline[] = [];
  for (const path of tests) {
    const { run, met } = await tree.trace(path, 120_000);
    if (run.kind === "passed") found.push({ path, ms: run.ms, met });
    else report(`left out, ${run.kind} without a change: ${path} ${run.failed.join("; ")}`);
  }
  return found;
}

/** Tries one mutant. */
export async function tryMutant(mutant: Mutant, options: {
  readonly root: string;
  readonly tree: Tree;
  readonly probes: ReadonlyMap<string, Probed>;
  readonly files: readonly Baseline[];
  /** The most that tests of other rooms may take for one mutant, by their baseline. */
  readonly budgetMs: number;
}): Promise<Verdict> {
  const { tree } = options;
  const room = roomOfPath(mutant.path) as string;
  const files = filesFor(mutant, { ...options, room });
  const by = await tree.with(mutant, () => firstFailure(tree, files));
  return by === null
    ? { mutant, room, kind: "survived", by: files.map(({ path }) => path) }
    : { mutant, room, kind: "noticed", by };
}

/** Those that meet the place: the room's own, and of others the fastest within the budget. */
function filesFor(mutant: Mutant, { room, probes, files, root, budgetMs }: {
  room: string;
  probes: ReadonlyMap<string, Probed>;
  files: readonly Baseline[];
  root: string;
  budgetMs: number;
}): readonly Baseline[] {
  const probe = probes.get(mutant.path)?.probeAt(mutant.start) ?? "";
  const near = new Set(nearestTests(root, room));
  const ordered = files.filter(({ path, met }) => near.has(path) && met.has(probe)).sort((a, b) =>
    distance(a, room) - distance(b, room)
  );
  let spentMs = 0;
  return ordered.filter((file) => isOwn(file, room) || (spentMs += file.ms) <= budgetMs);
}

function distance(file: Baseline, room: string): number {
  return isOwn(file, room) ? file.ms : 3 * file.ms;
}

function isOwn({ path }: Baseline, room: string): boolean {
  return path.startsWith(`tests/${room}/`);
}

async function firstFailure(
  tree: Tree,
  files: readonly Baseline[],
): Promise<readonly string[] | null> {
  for (const batch of batches(files)) {
    const paths = batch.map(({ path }) => path);
    let run = await tree.run(paths, limitMs(batch));
    const isDoubtful = run.kind === "failed" && batch.some(({ ms }) => ms > DOUBTFUL_MS);
    if (isDoubtful) run = await tree.run(paths, limitMs(batch));
    if (run.kind === "too long") return [`too long: ${paths.join(" ")}`];
    if (run.kind === "failed") return run.failed.length > 0 ? run.failed : paths;
  }
  return null;
}

function batches(files: readonly Baseline[]): readonly (readonly Baseline[])[] {
  const found: Baseline[][] = [];
  let sumMs = Infinity;
  for (const file of files) {
    if (sumMs + file.ms > BATCH_MS) {
      found.push([]);
      sumMs = 0;
    }
    found.at(-1)?.push(file);
    sumMs += file.ms;
  }
  return found;
}
