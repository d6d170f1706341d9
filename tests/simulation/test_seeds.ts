import { assertEquals } from "@std/assert";
import { Explorer, type StoreName } from "./explore.ts";
import { KEPT_SEEDS } from "./seeds.ts";

/** How many seeds each store lives in a test run; `deno task simulate` lives more. */
const SEEDS: Readonly<Record<StoreName, number>> = { memory: 1000, sqlite: 45, both: 10 };
/** Of those that are not kept. */
const FIRST_SEED = 1;

/** Tests that live the seeds that are kept, and some more. */
export function testSeeds(store: StoreName): void {
  const count = SEEDS[store];
  for (const { seed, found } of KEPT_SEEDS) {
    Deno.test(`${store} store, seed ${seed}: ${found}`, () => assertHolds(store, [seed]));
  }
  Deno.test(`every rule holds in ${count} lives with the ${store} store`, () => {
    const seeds = Array.from({ length: count }, (_, index) => FIRST_SEED + index);
    return assertHolds(store, seeds);
  });
}

async function assertHolds(store: StoreName, seeds: readonly number[]): Promise<void> {
  await using explorer = await Explorer.open(store);
  for (const seed of seeds) {
    const failure = await explorer.live(seed);
    if (failure !== null) assertEquals(await explorer.explain(failure), "");
  }
}
