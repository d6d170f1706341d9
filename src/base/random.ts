/** Randomness as a value that is handed in, so that tests can repeat a run. */
export interface Random {
  /** A number in [0, 1). */
  float(): number;
  /** Fills `into` with random bytes and returns it. */
  fill(into: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer>;
}

/** The runtime's randomness: fast for `float`, cryptographic for `fill`. */
export const systemRandom: Random = {
  float: () => Math.random(),
  fill: (into) => crypto.getRandomValues(into),
};

/** A repeatable generator (mulberry32) for tests and simulations; not for secrets. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const float = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
  return {
    float,
    fill(into) {
      for (let index = 0; index < into.length; index++) into[index] = Math.floor(float() * 256);
      return into;
    },
  };
}

/** Returns a shuffled copy of `items` (Fisher-Yates). */
export function shuffled<T>(items: readonly T[], random: Random): T[] {
  const result = [...items];
  for (let last = result.length - 1; last > 0; last--) {
    const pick = Math.floor(random.float() * (last + 1));
    [result[last], result[pick]] = [result[pick] as T, result[last] as T];
  }
  return result;
}
