/**
 * WebAssembly for Montgomery multiplication (Menezes, van Oorschot, Vanstone: Handbook of Applied
 * Cryptography, 14.32 and 14.36) of numbers of some limbs of 64 bits, the least significant first.
 * It needs the products of 128 bits of the wide arithmetic proposal. What it does, and where in
 * memory, depends on no number: there is no branch, and a table is always read whole.
 */
import { get, i32, load, OP, set, store, wasmModule } from "./wasm_writer.ts";

/** Octets of a limb. */
export const LIMB_BYTES = 8;
/** Numbers in the table that `select` reads: one for each value of five bits. */
export const TABLE_SIZE = 32;
/** Where in memory the functions expect -1 / modulus mod 2^64, and behind it the modulus. */
export const INVERSE_AT = 0;
export const MODULUS_AT = LIMB_BYTES;

/** What a module exports; all arguments are addresses, but for `index`. */
export interface MontgomeryExports {
  readonly memory: WebAssembly.Memory;
  /** `a * b / 2^(64 * limbs)` modulo the modulus; the result may overwrite an argument. */
  multiply(result: number, a: number, b: number): void;
  /** The same of `a * a`, in less time. */
  square(result: number, a: number): void;
  /** A copy of the number at `index` of the table. */
  select(result: number, table: number, index: number): void;
}

/** The module for so many limbs. */
export function montgomeryCode(limbs: number): Uint8Array<ArrayBuffer> {
  const multiply = frameOf(limbs, { parameters: 3, sumLimbs: limbs });
  const square = frameOf(limbs, { parameters: 2, sumLimbs: 2 * limbs });
  return wasmModule([
    {
      name: "multiply",
      parameters: 3,
      locals: multiply.locals,
      code: [...multiplyCode(multiply), ...finishCode(multiply, multiply.sum)],
    },
    {
      name: "square",
      parameters: 2,
      locals: square.locals,
      code: [...squareCode(square), ...finishCode(square, square.sum + limbs)],
    },
    { name: "select", parameters: 3, locals: limbs + 1, code: selectCode(limbs) },
  ]);
}

/** The code needs at least two. */
const LEAST_LIMBS = 2;

/** Whether the runtime knows wide arithmetic. */
export function hasWideArithmetic(): boolean {
  return WebAssembly.validate(montgomeryCode(LEAST_LIMBS));
}

/** The parameters that all functions begin with. */
const RESULT = 0;
const A = 1;
const B = 2;

/** The locals of 64 bits of a function, by their numbers. */
interface Frame {
  readonly limbs: number;
  readonly locals: number;
  /** The first limb of the sum. */
  readonly sum: number;
  /** What is above the sum: 0 or 1. */
  readonly top: number;
  readonly carry: number;
  readonly factor: number;
  /** The first limb of the sum less the modulus. */
  readonly reduced: number;
}

function frameOf(
  limbs: number,
  { parameters, sumLimbs }: { parameters: number; sumLimbs: number },
): Frame {
  const top = parameters + sumLimbs;
  const [carry, factor, reduced] = [top + 1, top + 2, top + 3];
  return { limbs, locals: sumLimbs + 3 + limbs, sum: parameters, top, carry, factor, reduced };
}

/** Adds a number of 64 bits to the one of 128 bits on the stack. */
const plus = (local: number): number[] => [...get(local), ...OP.zero, ...OP.add128];
const loadLimb = (address: readonly number[], limb: number): number[] => [
  ...address,
  ...load(limb * LIMB_BYTES),
];

/** For each limb of `b`: adds `a` times it, then the multiple of the modulus that ends in zeros. */
function multiplyCode(frame: Frame): number[] {
  const { limbs, sum, top, carry, factor } = frame;
  const last = sum + limbs - 1;
  const code: number[] = [];
  for (let row = 0; row < limbs; row++) {
    code.push(...loadLimb(get(B), row), ...set(factor));
    code.push(...addProduct(frame, { address: get(A), from: sum, to: sum }));
    // The sum is one limb longer for a moment: its carry goes below what is above.
    code.push(...get(top), ...OP.zero, ...plus(carry), ...set(top), ...set(frame.reduced));
    code.push(...lowestFactor(frame, sum));
    code.push(...addProduct(frame, { address: i32(MODULUS_AT), from: sum, to: sum - 1 }));
    code.push(...get(frame.reduced), ...get(top), ...plus(carry), ...set(top), ...set(last));
  }
  return code;
}

/** The factor by which the modulus must be multiplied so that the sum's limb becomes zero. */
function lowestFactor({ factor }: Frame, limb: number): number[] {
  return [...get(limb), ...i32(INVERSE_AT), ...load(0), ...OP.i64Mul, ...set(factor)];
}

/**
 * Adds the factor times the number at an address to the limbs of the sum from `from` on, and puts
 * them to `to` on. A limb that would stand before the sum is zero and falls away.
 */
function addProduct(
  { limbs, sum, carry, factor }: Frame,
  { address, from, to, first = 0 }: {
    address: readonly number[];
    from: number;
    to: number;
    /** The limb of the number to begin with. */
    first?: number;
  },
): number[] {
  const code: number[] = [...OP.zero, ...set(carry)];
  for (let limb = first; limb < limbs; limb++) {
    code.push(...get(factor), ...loadLimb(address, limb), ...OP.mulWide);
    code.push(...plus(from + limb), ...plus(carry), ...set(carry));
    code.push(...to + limb < sum ? OP.drop : set(to + limb));
  }
  return code;
}

/** The square, of which most products are needed twice, and then the modulus row by row. */
function squareCode(frame: Frame): number[] {
  const { limbs, sum, top, carry, factor } = frame;
  const code: number[] = [];
  for (let row = 0; row < limbs - 1; row++) {
    code.push(...loadLimb(get(A), row), ...set(factor));
    const place = sum + row;
    code.push(...addProduct(frame, { address: get(A), from: place, to: place, first: row + 1 }));
    code.push(...get(carry), ...set(place + limbs));
  }
  code.push(...doubleAndAddSquares(frame));
  for (let row = 0; row < limbs; row++) {
    const [place, above] = [sum + row, sum + row + limbs];
    code.push(...lowestFactor(frame, place));
    code.push(...addProduct(frame, { address: i32(MODULUS_AT), from: place, to: place }));
    code.push(...get(above), ...OP.zero, ...plus(carry), ...plus(top), ...set(top), ...set(above));
  }
  return code;
}

/** Twice the products so far, and the squares of the limbs. */
function doubleAndAddSquares({ limbs, sum, carry, factor, reduced }: Frame): number[] {
  const [low, high] = [reduced, reduced + 1];
  const code: number[] = [...OP.zero, ...set(carry), ...OP.zero, ...set(factor)];
  for (let limb = 0; limb < limbs; limb++) {
    code.push(...loadLimb(get(A), limb), ...loadLimb(get(A), limb), ...OP.mulWide);
    code.push(...set(high), ...set(low));
    for (const [half, place] of [[low, sum + 2 * limb], [high, sum + 2 * limb + 1]] as const) {
      // The bit that leaves the limb below enters this one.
      code.push(...get(place), ...OP.one, ...OP.i64Shl, ...get(factor), ...OP.i64Or, ...OP.zero);
      code.push(...get(place), ...OP.i64Const63, ...OP.i64ShrU, ...set(factor));
      code.push(...plus(half), ...plus(carry), ...set(carry), ...set(place));
    }
  }
  return code;
}

/** Stores the limbs from `start` on, less the modulus unless they are smaller already. */
function finishCode(
  { limbs, top, carry: borrow, factor: mask, reduced }: Frame,
  start: number,
): number[] {
  const code: number[] = [...OP.zero, ...set(borrow)];
  for (let limb = 0; limb < limbs; limb++) {
    code.push(...get(start + limb), ...OP.zero);
    code.push(...loadLimb(i32(MODULUS_AT), limb), ...OP.zero, ...OP.sub128);
    code.push(...get(borrow), ...OP.zero, ...OP.sub128);
    code.push(...OP.one, ...OP.i64And, ...set(borrow), ...set(reduced + limb));
  }
  // All ones where they are smaller: nothing is above them and the subtraction borrowed.
  code.push(...OP.zero, ...get(borrow), ...get(top), ...OP.one, ...OP.i64Xor);
  code.push(...OP.i64And, ...OP.i64Sub, ...set(mask));
  for (let limb = 0; limb < limbs; limb++) {
    code.push(...get(RESULT), ...get(reduced + limb));
    code.push(...get(reduced + limb), ...get(start + limb), ...OP.i64Xor, ...get(mask));
    code.push(...OP.i64And, ...OP.i64Xor, ...store(limb * LIMB_BYTES));
  }
  return code;
}

/** Reads the whole table and keeps the number whose index it is. */
function selectCode(limbs: number): number[] {
  const [table, index, kept] = [1, 2, 3];
  const mask = kept + limbs;
  const code: number[] = [];
  for (let entry = 0; entry < TABLE_SIZE; entry++) {
    code.push(...OP.zero, ...get(index), ...i32(entry), ...OP.i32Eq, ...OP.i64ExtendI32);
    code.push(...OP.i64Sub, ...set(mask));
    for (let limb = 0; limb < limbs; limb++) {
      code.push(...loadLimb(get(table), entry * limbs + limb), ...get(mask), ...OP.i64And);
      code.push(...get(kept + limb), ...OP.i64Or, ...set(kept + limb));
    }
  }
  for (let limb = 0; limb < limbs; limb++) {
    code.push(...get(RESULT), ...get(kept + limb), ...store(limb * LIMB_BYTES));
  }
  return code;
}
