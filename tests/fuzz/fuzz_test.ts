/** The short form of `deno task fuzz`, and every input that ever failed. */
import { assert, assertEquals } from "@std/assert";
import { fuzz } from "./fuzzer.ts";
import { TARGETS } from "./targets.ts";

const INPUTS = 250;

for (const [name, target] of Object.entries(TARGETS)) {
  Deno.test(`fuzz: ${name} reads or refuses ${INPUTS} changed inputs`, async () => {
    const { failures, inputs, blocks } = await fuzz(target, {
      ...{ inputs: INPUTS, seed: 20_261_201 },
      now: () => performance.now(),
    });
    assertEquals(failures.map(({ error }) => String(error)), []);
    assert(inputs >= INPUTS && blocks > 0);
  });

  Deno.test(`fuzz: ${name} reads or refuses what failed before`, async () => {
    for await (const input of corpusOf(name)) {
      try {
        await target.run(input);
      } catch (error) {
        if (target.refuses?.(error) !== true) throw error;
      }
    }
  });
}

async function* corpusOf(name: string): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const folder = new URL(`../corpus/fuzz/${name}/`, import.meta.url);
  try {
    for await (const { name: file } of Deno.readDir(folder)) {
      yield await Deno.readFile(new URL(file, folder));
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
