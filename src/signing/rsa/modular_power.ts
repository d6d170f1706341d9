import {
  INVERSE_AT,
  LIMB_BYTES,
  MODULUS_AT,
  montgomeryCode,
  type MontgomeryExports,
  TABLE_SIZE,
} from "./montgomery_code.ts";

const LIMB_BITS = 64n;
const WINDOW_BITS = 5;

/**
 * Powers with a secret exponent modulo one odd number: a fixed window of five bits (Handbook of
 * Applied Cryptography, 14.82), the same steps for every exponent of that length.
 */
export class ModularPower {
  readonly #modulus: bigint;
  readonly #limbs: number;
  readonly #digits: readonly number[];
  readonly #code: MontgomeryExports;
  readonly #memory: BigUint64Array;

  constructor({ modulus, exponent }: { modulus: bigint; exponent: bigint }) {
    const bits = modulus.toString(2).length;
    this.#modulus = modulus;
    this.#limbs = Math.ceil(bits / Number(LIMB_BITS));
    this.#digits = digitsOf(exponent, bits);
    const instance = new WebAssembly.Instance(new WebAssembly.Module(montgomeryCode(this.#limbs)));
    this.#code = instance.exports as unknown as MontgomeryExports;
    this.#memory = new BigUint64Array(this.#code.memory.buffer);
    this.#memory[INVERSE_AT / LIMB_BYTES] = negativeInverse(modulus);
    this.#write(MODULUS_AT, modulus);
    const radix = 1n << (LIMB_BITS * BigInt(this.#limbs));
    this.#write(this.#place(1), radix * radix % modulus);
    this.#write(this.#place(2), 1n);
    this.#write(this.#table(0), radix % modulus);
  }

  /** `base` to the power of the exponent; `base` may be larger than the modulus. */
  of(base: bigint): bigint {
    const { multiply, square, select } = this.#code;
    const [toMontgomery, one, power, factor] = [1, 2, 3, 4].map((number) =>
      this.#place(number)
    ) as [
      number,
      number,
      number,
      number,
    ];
    this.#write(factor, base % this.#modulus);
    multiply(this.#table(1), factor, toMontgomery);
    for (let entry = 2; entry < TABLE_SIZE; entry++) {
      multiply(this.#table(entry), this.#table(entry - 1), this.#table(1));
    }
    multiply(power, toMontgomery, one);
    for (const digit of this.#digits) {
      for (let bit = 0; bit < WINDOW_BITS; bit++) square(power, power);
      select(factor, this.#table(0), digit);
      multiply(power, power, factor);
    }
    multiply(power, power, one);
    return this.#read(power);
  }

  /** Addresses of the numbers behind the modulus. */
  #place(number: number): number {
    return MODULUS_AT + number * this.#limbs * LIMB_BYTES;
  }

  #table(entry: number): number {
    return this.#place(5 + entry);
  }

  #write(address: number, value: bigint): void {
    const start = address / LIMB_BYTES;
    for (let limb = 0; limb < this.#limbs; limb++) {
      this.#memory[start + limb] = BigInt.asUintN(64, value >> (LIMB_BITS * BigInt(limb)));
    }
  }

  #read(address: number): bigint {
    const start = address / LIMB_BYTES;
    let value = 0n;
    for (let limb = this.#limbs - 1; limb >= 0; limb--) {
      value = (value << LIMB_BITS) | (this.#memory[start + limb] ?? 0n);
    }
    return value;
  }
}

/** The exponent in digits of five bits, the highest first, as many as the modulus has. */
function digitsOf(exponent: bigint, bits: number): number[] {
  const count = Math.ceil(bits / WINDOW_BITS);
  return Array.from({ length: count }, (_, index) => {
    const shift = BigInt((count - 1 - index) * WINDOW_BITS);
    return Number(BigInt.asUintN(WINDOW_BITS, exponent >> shift));
  });
}

/** `-1 / odd` modulo 2^64, by Newton's iteration: each step doubles the bits that are right. */
function negativeInverse(odd: bigint): bigint {
  let inverse = 1n;
  for (let rightBits = 1; rightBits < 64; rightBits *= 2) {
    inverse = BigInt.asUintN(64, inverse * (2n - odd * inverse));
  }
  return BigInt.asUintN(64, -inverse);
}
