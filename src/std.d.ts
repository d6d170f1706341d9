// The npm republication of Deno's standard library ships JavaScript without types. These are the
// functions the project uses.

declare module "@std/assert" {
  export class AssertionError extends Error {}
  export function assert(condition: unknown, message?: string): asserts condition;
  export function assertEquals<T>(actual: T, expected: T, message?: string): void;
  export function assertNotEquals<T>(actual: T, expected: T, message?: string): void;
  export function assertStrictEquals<T>(
    actual: unknown,
    expected: T,
    message?: string,
  ): asserts actual is T;
  export function assertExists<T>(
    actual: T,
    message?: string,
  ): asserts actual is NonNullable<T>;
  export function assertMatch(actual: string, expected: RegExp, message?: string): void;
  export function assertNotMatch(actual: string, expected: RegExp, message?: string): void;
  export function assertStringIncludes(actual: string, expected: string, message?: string): void;
  export function assertThrows<E extends Error = Error>(
    callback: () => unknown,
    // deno-lint-ignore no-explicit-any
    errorClass?: abstract new (...args: any[]) => E,
    messageIncludes?: string,
    message?: string,
  ): E;
  export function assertRejects<E extends Error = Error>(
    callback: () => PromiseLike<unknown>,
    // deno-lint-ignore no-explicit-any
    errorClass?: abstract new (...args: any[]) => E,
    messageIncludes?: string,
    message?: string,
  ): Promise<E>;
  export function fail(message?: string): never;
}

declare module "@std/cli/parse-args" {
  export interface ParseOptions {
    readonly string?: readonly string[];
    readonly boolean?: readonly string[];
    readonly collect?: readonly string[];
    readonly negatable?: readonly string[];
    readonly alias?: Readonly<Record<string, string | readonly string[]>>;
    readonly default?: Readonly<Record<string, unknown>>;
    readonly "--"?: boolean;
    readonly stopEarly?: boolean;
    readonly unknown?: (argument: string, key?: string, value?: unknown) => unknown;
  }
  export function parseArgs(
    args: readonly string[],
    options?: ParseOptions,
  ): { readonly _: readonly (string | number)[]; readonly [name: string]: unknown };
}

declare module "dns-packet" {
  export const RECURSION_DESIRED: number;
  export const AUTHENTIC_DATA: number;
  export const TRUNCATED_RESPONSE: number;
  export interface Question {
    readonly name: string;
    readonly type: string;
  }
  export interface ResourceRecord {
    readonly name: string;
    readonly type: string;
    readonly ttl: number;
    readonly data: unknown;
  }
  export interface OptRecord {
    readonly name: ".";
    readonly type: "OPT";
    readonly udpPayloadSize: number;
  }
  export interface Packet {
    readonly type: "query" | "response";
    readonly id: number;
    /** The flags, and the response code in the four lowest bits. */
    readonly flags: number;
    readonly questions: readonly Question[];
    readonly answers?: readonly ResourceRecord[];
    readonly authorities?: readonly ResourceRecord[];
    readonly additionals?: readonly OptRecord[];
  }
  export interface DecodedPacket {
    readonly type: "query" | "response";
    readonly id: number;
    readonly rcode: string;
    readonly flag_tc: boolean;
    readonly flag_ad: boolean;
    readonly questions: readonly Question[];
    readonly answers: readonly ResourceRecord[];
    readonly authorities: readonly ResourceRecord[];
  }
  export function encode(packet: Packet): Uint8Array<ArrayBuffer>;
  export function decode(bytes: Uint8Array): DecodedPacket;
}
