/** Makes inputs out of others, the same ones for the same seed. */

/** Numbers that a seed decides (mulberry32). */
export function seededNumbers(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const MAX_BYTES = 65_536;
const INTERESTING = [0, 1, 9, 10, 13, 32, 34, 46, 58, 61, 63, 64, 92, 127, 128, 192, 255];

/** A change of `seeds`: octets, pieces of others, words of the grammar, repetition. */
export function mutated(
  seeds: readonly Uint8Array[],
  { words, next }: { words: readonly Uint8Array[]; next: (below: number) => number },
): Uint8Array {
  let octets = seeds[next(seeds.length)] ?? new Uint8Array();
  const changes = 1 + next(6);
  for (let change = 0; change < changes; change++) {
    const at = next(octets.length + 1);
    const length = Math.min(octets.length - at, 1 + next(1 << next(8)));
    const part = octets.subarray(at, at + length);
    switch (next(8)) {
      case 0:
        octets = spliced(octets, { at, length: 0, put: [pick(words, next)] });
        break;
      case 1:
        octets = spliced(octets, { at, length, put: [] });
        break;
      case 2: // often repeated, as work that grows with the square shows only then
        octets = spliced(octets, { at, length, put: Array(1 + next(1 << next(11))).fill(part) });
        break;
      case 3: {
        const other = pick(seeds, next);
        const from = next(other.length + 1);
        octets = spliced(octets, { at, length, put: [other.subarray(from, from + length * 2)] });
        break;
      }
      case 4:
        octets = spliced(octets, { at, length, put: [pick(words, next)] });
        break;
      case 5:
        octets = octets.subarray(0, at);
        break;
      default: {
        octets = octets.slice();
        const value = next(2) === 0 ? INTERESTING[next(INTERESTING.length)] : next(256);
        if (at < octets.length) octets[at] = value ?? 0;
      }
    }
  }
  return octets.slice(0, MAX_BYTES);
}

function pick(list: readonly Uint8Array[], next: (below: number) => number): Uint8Array {
  return list[next(list.length)] ?? new Uint8Array();
}

function spliced(
  octets: Uint8Array,
  { at, length, put }: { at: number; length: number; put: readonly Uint8Array[] },
): Uint8Array {
  const kept: Uint8Array[] = [octets.subarray(0, at)];
  let total = at;
  for (const part of put) {
    if (total + part.length > MAX_BYTES) break;
    kept.push(part);
    total += part.length;
  }
  kept.push(octets.subarray(at + length));
  const result = new Uint8Array(kept.reduce((sum, part) => sum + part.length, 0));
  let end = 0;
  for (const part of kept) {
    result.set(part, end);
    end += part.length;
  }
  return result;
}
