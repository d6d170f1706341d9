import { BlockCoverage } from "./coverage.ts";
import { mutated, seededNumbers } from "./mutate.ts";
import type { FuzzTarget } from "./targets.ts";

/** What a run came to. */
export interface FuzzReport {
  readonly inputs: number;
  /** Blocks of the sources that ran. */
  readonly blocks: number;
  /** Inputs that are kept, because they ran a block that none before had. */
  readonly kept: number;
  readonly failures: readonly { readonly input: Uint8Array; readonly error: unknown }[];
  readonly slowest: { readonly input: Uint8Array; readonly tookMs: number };
}

export interface FuzzOptions {
  readonly inputs: number;
  readonly seed: number;
  readonly now: () => number;
}

/** Coverage costs milliseconds to read, so it is read once for so many inputs. */
const BATCH = 250;
const MAX_FAILURES = 20;
/** How often an input that seems slow is timed again. */
const MAX_TIMES = 10;
const MAX_KEPT = 5_000;

/**
 * Runs a target on changed inputs. An input that reaches a block for the first time is kept, and
 * changed further, once one of its batch did so.
 */
export async function fuzz(target: FuzzTarget, options: FuzzOptions): Promise<FuzzReport> {
  using coverage = await BlockCoverage.start();
  const run = new FuzzRun(target, { coverage, now: options.now });
  const next = seededNumbers(options.seed);
  const words = target.words.map(octetsOf);
  for (const seed of target.seeds.map(octetsOf)) {
    await run.take(seed);
    run.kept.push(seed);
  }
  await coverage.takeNew();
  for (let count = 0; count < options.inputs && !run.hasFailedEnough; count += BATCH) {
    const size = Math.min(BATCH, options.inputs - count);
    const batch = Array.from({ length: size }, () => mutated(run.kept, { words, next }));
    for (const input of batch) await run.take(input);
    const isFull = run.kept.length >= MAX_KEPT;
    if (await coverage.takeNew() > 0 && !isFull) {
      run.kept.push(...await pioneers(batch, { run, coverage }));
    }
  }
  return run.report;
}

/** Those of a batch that ran a set of blocks which none ran before. */
async function pioneers(
  batch: readonly Uint8Array[],
  { run, coverage }: { run: FuzzRun; coverage: BlockCoverage },
): Promise<Uint8Array[]> {
  const found: Uint8Array[] = [];
  for (const input of batch) {
    await run.take(input);
    if (await coverage.takeSignature() !== null) found.push(input);
  }
  return found;
}

class FuzzRun {
  readonly kept: Uint8Array[] = [];
  readonly #target: FuzzTarget;
  readonly #coverage: BlockCoverage;
  readonly #now: () => number;
  readonly #failures: { input: Uint8Array; error: unknown }[] = [];
  #inputs = 0;
  #slowest: FuzzReport["slowest"] = { input: new Uint8Array(), tookMs: 0 };

  constructor(
    target: FuzzTarget,
    { coverage, now }: { coverage: BlockCoverage; now: () => number },
  ) {
    this.#target = target;
    this.#coverage = coverage;
    this.#now = now;
  }

  get hasFailedEnough(): boolean {
    return this.#failures.length >= MAX_FAILURES;
  }

  get report(): FuzzReport {
    return {
      inputs: this.#inputs,
      blocks: this.#coverage.blocks,
      kept: this.kept.length,
      failures: this.#failures,
      slowest: this.#slowest,
    };
  }

  async take(input: Uint8Array): Promise<void> {
    this.#inputs++;
    let tookMs = await this.#time(input);
    // A busy machine makes any input slow once; one that is slow by itself is so each time.
    for (let again = 0; again < MAX_TIMES && tookMs > this.#slowest.tookMs; again++) {
      tookMs = Math.min(tookMs, await this.#time(input));
    }
    if (tookMs > this.#slowest.tookMs) this.#slowest = { input, tookMs };
  }

  async #time(input: Uint8Array): Promise<number> {
    const startMs = this.#now();
    try {
      const result = this.#target.run(input.slice());
      if (result instanceof Promise) await result;
    } catch (error) {
      if (this.#target.refuses?.(error) !== true) this.#failures.push({ input, error });
    }
    return this.#now() - startMs;
  }
}

/** Each character as one octet. */
export function octetsOf(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0) & 255);
}
