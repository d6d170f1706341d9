/** Parts of WebAssembly's binary format (WebAssembly Core Specification, section 5). */

/** An unsigned number (section 5.2.2). */
export function unsigned(value: number): number[] {
  const octets: number[] = [];
  for (let rest = value;;) {
    const low = rest & 0x7f;
    rest >>>= 7;
    if (rest === 0) return [...octets, low];
    octets.push(low | 0x80);
  }
}

/** A vector: how many, then each (section 5.1.3). */
export function vector(items: readonly (readonly number[])[]): number[] {
  return [...unsigned(items.length), ...items.flat()];
}

/** A section, or anything else with its length before it. */
export function sized(before: readonly number[], content: readonly number[]): number[] {
  return [...before, ...unsigned(content.length), ...content];
}

/** Value types. */
export const I32 = 0x7f;
export const I64 = 0x7e;

/** Instructions (section 5.4); those of wide arithmetic are of the proposal of that name. */
export const OP = {
  end: [0x0b],
  drop: [0x1a],
  i32Eq: [0x46],
  i64And: [0x83],
  i64Or: [0x84],
  i64Xor: [0x85],
  i64Add: [0x7c],
  i64Sub: [0x7d],
  i64Mul: [0x7e],
  i64Shl: [0x86],
  i64ShrU: [0x88],
  i64ExtendI32: [0xad],
  /** Two halves each of two numbers; the two halves of their sum. */
  add128: [0xfc, 0x13],
  sub128: [0xfc, 0x14],
  /** Two numbers; the two halves of their product. */
  mulWide: [0xfc, 0x16],
  zero: [0x42, 0],
  one: [0x42, 1],
  i64Const63: [0x42, 63],
} as const;

export const get = (local: number): number[] => [0x20, ...unsigned(local)];
export const set = (local: number): number[] => [0x21, ...unsigned(local)];
export const i32 = (value: number): number[] => [0x41, ...signed(value)];
/** Loads 64 bits at `offset` behind the address on the stack. */
export const load = (offset: number): number[] => [0x29, 3, ...unsigned(offset)];
export const store = (offset: number): number[] => [0x37, 3, ...unsigned(offset)];

/** A function of the module. */
export interface WasmFunction {
  readonly name: string;
  /** How many numbers of 32 bits it takes; it gives none back. */
  readonly parameters: number;
  /** How many numbers of 64 bits it works with besides. */
  readonly locals: number;
  readonly code: readonly number[];
}

/** A module of functions over one page of memory, exported as `memory`. */
export function wasmModule(functions: readonly WasmFunction[]): Uint8Array<ArrayBuffer> {
  const name = (text: string): number[] => vector([...text].map((char) => [char.charCodeAt(0)]));
  const types = functions.map(({ parameters }) => [
    ...[0x60, ...vector(Array<number[]>(parameters).fill([I32]))],
    0,
  ]);
  const bodies = functions.map(({ locals, code }) =>
    sized([], [...vector([[...unsigned(locals), I64]]), ...code, ...OP.end])
  );
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...sized([1], vector(types)),
    ...sized([3], vector(functions.map((_, index) => [index]))),
    ...sized([5], vector([[0, 1]])),
    ...sized(
      [7],
      vector([
        [...name("memory"), 2, 0],
        ...functions.map((each, index) => [...name(each.name), 0, index]),
      ]),
    ),
    ...sized([10], vector(bodies)),
  ]);
}

/** A signed number (section 5.2.2) that is not negative. */
function signed(value: number): number[] {
  const octets = unsigned(value);
  const last = octets.at(-1) ?? 0;
  // The sign is bit 6 of the last octet.
  return last & 0x40 ? [...octets.slice(0, -1), last | 0x80, 0] : octets;
}
