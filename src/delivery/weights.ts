import type { Random } from "../base/random.ts";

/**
 * Orders items at random so that each comes first as often as its weight says, and the others
 * follow by their own weights. A weight of 0 comes after all that have more.
 *
 * @param weights one for each item, in their order, not negative.
 */
export function weighted<T>(
  items: readonly T[],
  { weights, random }: { weights: readonly number[]; random: Random },
): T[] {
  // Efraimidis and Spirakis (2006): sampling without replacement by keys u^(1/w).
  const keyed = items.map((item, position) => {
    const weight = weights[position] ?? 0;
    return { item, key: weight > 0 ? random.float() ** (1 / weight) : -1 };
  });
  return keyed.sort((a, b) => b.key - a.key).map(({ item }) => item);
}
