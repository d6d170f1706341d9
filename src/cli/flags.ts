import { parseArgs } from "@std/cli/parse-args";
import { nearest } from "../base/suggest.ts";
import { parseDuration, parseSize } from "../config/units.ts";
import type { Command, Flag } from "./command.ts";

/** The flags of one call, read and checked. */
export class FlagValues {
  readonly #values: ReadonlyMap<string, FlagValue>;

  constructor(values: ReadonlyMap<string, FlagValue>) {
    this.#values = values;
  }

  /** Whether a switch is on. */
  switch(name: string): boolean {
    return this.#values.get(name) === true;
  }

  text(name: string): string | undefined {
    const value = this.#values.get(name);
    return typeof value === "string" ? value : undefined;
  }

  /** All values of a flag that may be repeated. */
  texts(name: string): readonly string[] {
    const value = this.#values.get(name);
    return Array.isArray(value) ? value : [];
  }

  /** A count as it is, a duration in milliseconds, or a size in octets. */
  number(name: string): number | undefined {
    const value = this.#values.get(name);
    return typeof value === "number" ? value : undefined;
  }
}

type FlagValue = boolean | string | number | readonly string[];

/** What the arguments of a command came to. */
export type ParsedArguments =
  | { readonly kind: "ok"; readonly flags: FlagValues; readonly operands: readonly string[] }
  | { readonly kind: "help" }
  | { readonly kind: "wrong"; readonly reason: string };

const HELP: Flag = { name: "help", short: "h", kind: "switch", help: "Show this help." };

/** The flags of a command, `--help` included. */
export function flagsOf(command: Command): readonly Flag[] {
  return [...command.flags, HELP];
}

/** Reads the arguments that stand behind the name of `command`. */
export function parseArguments(args: readonly string[], command: Command): ParsedArguments {
  const flags = flagsOf(command);
  const unknown: string[] = [];
  const parsed = parseArgs(args, {
    boolean: namesOf(flags, (flag) => flag.kind === "switch"),
    string: ["_", ...namesOf(flags, (flag) => flag.kind !== "switch")],
    collect: namesOf(flags, (flag) => flag.kind === "texts"),
    alias: aliasesOf(flags),
    unknown(_argument, key) {
      if (key === undefined) return true; // an operand
      unknown.push(key);
      return false;
    },
  });
  if (parsed[HELP.name] === true) return { kind: "help" };
  const [stranger] = unknown;
  if (stranger !== undefined) return { kind: "wrong", reason: unknownFlag(stranger, flags) };
  const operands = parsed._.map(String);
  if (operands.length > 0 && command.operands === undefined) {
    return { kind: "wrong", reason: `Unexpected argument ${JSON.stringify(operands[0])}.` };
  }
  return readValues(parsed, { flags, operands });
}

function readValues(
  parsed: Readonly<Record<string, unknown>>,
  { flags, operands }: { flags: readonly Flag[]; operands: readonly string[] },
): ParsedArguments {
  const values = new Map<string, FlagValue>();
  for (const flag of flags) {
    const raw = parsed[flag.name];
    if (raw === undefined || raw === false) continue;
    const value = readValue(flag, raw);
    if (value === null) return { kind: "wrong", reason: wrongValue(flag, raw) };
    values.set(flag.name, value);
  }
  return { kind: "ok", flags: new FlagValues(values), operands };
}

/** The value in the flag's own type; null when it is wrong. */
function readValue(flag: Flag, raw: unknown): FlagValue | null {
  if (flag.kind === "switch") return raw === true ? true : null;
  const texts = (Array.isArray(raw) ? raw : [raw]).map(String);
  const isWrong = texts.some((text) => text === "" || flag.choices?.includes(text) === false);
  if (isWrong) return null;
  const text = texts.at(-1) ?? "";
  switch (flag.kind) {
    case "text":
      return text;
    case "texts":
      return texts;
    case "count":
      return /^\d{1,15}$/.test(text) ? Number(text) : null;
    case "duration":
      return parseDuration(text);
    case "size":
      return parseSize(text);
  }
}

const EXPECTED = {
  switch: "takes no value",
  text: "needs a value",
  texts: "needs a value",
  count: "needs a whole number",
  duration: "needs a duration such as 30s, 5m or 2d",
  size: "needs a size such as 512, 64KiB or 25MiB",
} as const;

function wrongValue({ name, kind, choices }: Flag, raw: unknown): string {
  const expected = choices === undefined ? EXPECTED[kind] : `needs one of ${choices.join(", ")}`;
  const got = Array.isArray(raw) ? raw.join(", ") : String(raw);
  return `--${name} ${expected}${got === "" ? "" : `, got ${JSON.stringify(got)}`}.`;
}

function unknownFlag(name: string, flags: readonly Flag[]): string {
  const suggestion = name.length > 1 ? nearest(name, flags.map((flag) => flag.name)) : null;
  const hint = suggestion === null ? "" : ` Did you mean --${suggestion}?`;
  return `Unknown flag ${name.length > 1 ? "--" : "-"}${name}.${hint}`;
}

function namesOf(flags: readonly Flag[], isWanted: (flag: Flag) => boolean): string[] {
  return flags.filter(isWanted).map(({ name }) => name);
}

function aliasesOf(flags: readonly Flag[]): Record<string, string> {
  return Object.fromEntries(
    flags.flatMap(({ name, short }) => short === undefined ? [] : [[name, short]]),
  );
}
