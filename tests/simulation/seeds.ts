/** A seed that once failed, and what it found. */
export interface KeptSeed {
  readonly seed: number;
  readonly found: string;
}

/**
 * Seeds that found something, each with one line on what. They are lived again by every test run.
 * A change of `generate.ts` gives every number another life: then keep the shrunk plan instead.
 */
export const KEPT_SEEDS: readonly KeptSeed[] = [
  {
    seed: 142,
    found: "the memory store refused for ever to settle again what it had settled, where the " +
      "answer was lost and a notification came with it",
  },
];

/** Seeds that fail for faults which are known and not mended yet; the test passes them over. */
export const WAITING_SEEDS: readonly KeptSeed[] = [
  { seed: 139, found: "mail in line falls out of every set when a transport's circuit opens" },
  { seed: 872, found: "the same, and its leases are renewed for ever" },
  { seed: 638, found: "after a reload mail goes on to a transport that was removed" },
  { seed: 463, found: "the clock steps forward: leases lapse while their attempts run" },
  { seed: 1024, found: "the same without an operator" },
];
