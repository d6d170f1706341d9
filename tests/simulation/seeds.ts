/** A seed that once failed, and what it found. */
export interface KeptSeed {
  readonly seed: number;
  readonly found: string;
}

/**
 * Seeds that found something, each with one line on what. They are lived again by every test run.
 * A change of `generate.ts` gives every number another life: then keep the shrunk plan instead.
 */
export const KEPT_SEEDS: readonly KeptSeed[] = [];

/** Seeds that fail for faults which are known and not mended yet; the test passes them over. */
export const WAITING_SEEDS: readonly KeptSeed[] = [
  { seed: 463, found: "the clock steps forward: leases lapse while their attempts run" },
  { seed: 787, found: "the same, and what was delivered is delivered again" },
  { seed: 1407, found: "a message whose commit was not confirmed is claimed, and nobody tries it" },
];
