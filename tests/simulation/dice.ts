import { type Random, seededRandom } from "../../src/base/random.ts";

/** Chance that a seed owns. */
export interface Dice extends Random {
  /** True in `share` of the cases. */
  chance(share: number): boolean;
  /** A whole number from `least` to `most`, both included. */
  between(least: number, most: number): number;
  /** The same, small ones more often: each order of magnitude is as likely as the next. */
  spread(least: number, most: number): number;
  pick<T>(items: readonly T[]): T;
}

/** Dice whose rolls depend on nothing but `seed` and `name`. */
export function diceOf(seed: number, name: string): Dice {
  const random = seededRandom(hashOf(`${seed} ${name}`));
  const { float } = random;
  const between = (least: number, most: number): number =>
    least + Math.floor(float() * (most - least + 1));
  return {
    ...random,
    between,
    chance: (share) => float() < share,
    spread: (least, most) => Math.round(least * (most / least) ** float()),
    pick: <T>(items: readonly T[]) => items[between(0, items.length - 1)] as T,
  };
}

/** One roll that is the same whatever else happens in the world, so that a trace can be shrunk. */
export function rollOf(seed: number, name: string): number {
  let mixed = hashOf(`${seed} ${name}`);
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32;
}

/** FNV-1a over UTF-16 units. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return hash >>> 0;
}
