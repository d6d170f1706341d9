import { assertEquals } from "@std/assert";
import { Explorer, type StoreName } from "./explore.ts";
import { KEPT_SEEDS, WAITING_SEEDS } from "./seeds.ts";

/** How many seeds each store lives in a test run; `deno task simulate` lives more. */
const SEEDS: Readonly<Record<StoreName, number>> = { memory: 1_500, sqlite: 300 };
/** Above all that are kept, so that no seed is lived twice. */
const FIRST_SEED = 1_000_000;

/** Tests that live the seeds that are kept, and some more. */
export function testSeeds(store: StoreName): void {
  const count = SEEDS[store];
  for (const { seed, found } of KEPT_SEEDS) {
    Deno.test(`${store} store, seed ${seed}: ${found}`, () => assertHolds(store, [seed]));
  }
  Deno.test({
    name: `every rule holds in ${count} lives with the ${store} store`,
    // The seeds that wait name what is known and not mended.
    ignore: WAITING_SEEDS.length > 0,
    fn: () => assertHolds(store, Array.from({ length: count }, (_, index) => FIRST_SEED + index)),
  });
}

async function assertHolds(store: StoreName, seeds: readonly number[]): Promise<void> {
  await using explorer = await Explorer.open(store);
  for (const seed of seeds) {
    const failure = await explorer.live(seed);
    if (failure !== null) assertEquals(await explorer.explain(failure), "");
  }
}
