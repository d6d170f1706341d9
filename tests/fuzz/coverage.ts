/** Which blocks of the sources ran, by the inspector of this very process. */
import { Session } from "node:inspector/promises";

interface CoverageResult {
  readonly result: readonly {
    readonly url: string;
    readonly functions: readonly {
      readonly ranges: readonly {
        readonly startOffset: number;
        readonly endOffset: number;
        readonly count: number;
      }[];
    }[];
  }[];
}

/** Counts blocks of `src/` that ran for the first time. */
export class BlockCoverage implements Disposable {
  readonly #session = new Session();
  readonly #seen = new Set<string>();
  readonly #signatures = new Set<string>();

  private constructor() {
    this.#session.connect();
  }

  /** Starts to count. */
  static async start(): Promise<BlockCoverage> {
    const coverage = new BlockCoverage();
    await coverage.#session.post("Profiler.enable");
    const options = { callCount: true, detailed: true };
    await coverage.#session.post("Profiler.startPreciseCoverage", options);
    return coverage;
  }

  /** Blocks that were ever seen to run. */
  get blocks(): number {
    return this.#seen.size;
  }

  /** How many blocks ran since the last call that never ran before; those are known from now on. */
  async takeNew(): Promise<number> {
    const before = this.#seen.size;
    for (const block of await this.#take()) this.#seen.add(block);
    return this.#seen.size - before;
  }

  /** The blocks that ran since the last call, as one text; null when the same ran together before. */
  async takeSignature(): Promise<string | null> {
    const signature = (await this.#take()).toSorted().join(" ");
    if (this.#signatures.has(signature)) return null;
    this.#signatures.add(signature);
    return signature;
  }

  async #take(): Promise<string[]> {
    const blocks: string[] = [];
    const answer = await this.#session.post("Profiler.takePreciseCoverage");
    const { result } = answer as unknown as CoverageResult;
    for (const { url, functions } of result) {
      if (!url.includes("/src/")) continue;
      for (const { ranges } of functions) {
        for (const { startOffset, endOffset, count } of ranges) {
          if (count > 0) blocks.push(`${url}:${startOffset}-${endOffset}`);
        }
      }
    }
    return blocks;
  }

  [Symbol.dispose](): void {
    this.#session.disconnect();
  }
}
