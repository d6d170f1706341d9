/**
 * Lives seeds for as long as it is told, and explains those that break a rule.
 *
 *     deno task simulate [--from N] [--seeds N | --minutes M] [--store memory|sqlite]
 *     deno task simulate --seed N [--trace]
 */
import { parseArgs } from "@std/cli/parse-args";
import { Explorer, type Failure, type StoreName, STORES } from "./explore.ts";
import { planOf } from "./generate.ts";

const REPORT_EVERY = 1_000;

const flags = parseArgs(Deno.args, {
  string: ["from", "seed", "seeds", "minutes", "store"],
  boolean: ["trace", "brief"],
  default: { from: "1", store: "memory" },
});
const store = STORES.find((name) => name === flags.store);
if (store === undefined) throw new Error(`Cannot simulate: no store ${flags.store}`);
const failed = flags.seed === undefined
  ? await explore(store)
  : await liveOne(store, Number(flags.seed));
Deno.exit(failed ? 1 : 0);

async function liveOne(store: StoreName, seed: number): Promise<boolean> {
  await using explorer = await Explorer.open(store);
  if (flags.trace) print((await explorer.trace(planOf(seed))).join("\n"));
  const failure = await explorer.live(seed);
  if (failure === null) print(`Seed ${seed} with the ${store} store: every rule held`);
  else if (!flags.trace) print(await explorer.explain(failure));
  return failure !== null;
}

/** Goes through seeds; true when one broke a rule. */
async function explore(store: StoreName): Promise<boolean> {
  await using explorer = await Explorer.open(store);
  const firstSeed = Number(flags.from);
  const seeds = flags.seeds === undefined ? Infinity : Number(flags.seeds);
  const limitMs = flags.minutes === undefined ? Infinity : Number(flags.minutes) * 60_000;
  const startedMs = performance.now();
  const known = new Map<string, number>();
  let seed = firstSeed;
  for (; seed < firstSeed + seeds && performance.now() - startedMs < limitMs; seed++) {
    const failure = await explorer.live(seed);
    if (failure !== null) await report(failure, { explorer, known });
    if ((seed - firstSeed + 1) % REPORT_EVERY === 0) print(`${seed - firstSeed + 1} seeds lived`);
  }
  const seconds = Math.round((performance.now() - startedMs) / 1_000);
  print(`Seeds ${firstSeed} to ${seed - 1} with the ${store} store in ${seconds} s`);
  for (const [rule, count] of known) print(`${count} times: ${rule}`);
  return known.size > 0;
}

/** Explains the first seed of each rule, and names the others. */
async function report(
  failure: Failure,
  { explorer, known }: { explorer: Explorer; known: Map<string, number> },
): Promise<void> {
  const { seed, violation: { rule } } = failure;
  const count = known.get(rule) ?? 0;
  known.set(rule, count + 1);
  if (count === 0 && !flags.brief) print(`${await explorer.explain(failure)}\n`);
  else print(`Seed ${seed}: ${rule}`);
}

function print(text: string): void {
  // deno-lint-ignore no-console -- it is what the tool is for
  console.log(text);
}
