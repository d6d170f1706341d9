import type { FlagValues } from "./flags.ts";
import type { CliIo, ExitCode } from "./io.ts";

/** What follows a flag, and how it is read. */
export type FlagKind =
  /** Nothing: it is on when it is there. */
  | "switch"
  | "text"
  /** Text, and the flag may be repeated. */
  | "texts"
  /** A whole number, not negative. */
  | "count"
  /** `90s`, `4h`, `2d`. */
  | "duration"
  /** `512`, `64KiB`, `25MiB`. */
  | "size";

/** One flag of a command. */
export interface Flag {
  /** Without dashes. */
  readonly name: string;
  /** One letter that means the same. */
  readonly short?: string;
  readonly kind: FlagKind;
  /** What the help calls the value: `FILE`. */
  readonly value?: string;
  /** The only words allowed. */
  readonly choices?: readonly string[];
  readonly help: string;
}

/** A command line and what it does, for the help. */
export interface Example {
  /** Without `posthouse`. */
  readonly command: string;
  readonly does: string;
}

/** One command of the program. */
export interface Command {
  /** One word, or the group's and its own: `queue list`. */
  readonly name: string;
  /** One line for the overview. */
  readonly summary: string;
  /** What the help shows behind the name for operands: `[ID…]`; absent when there are none. */
  readonly operands?: string;
  /** More than the summary, for the command's own help. */
  readonly details?: string;
  readonly flags: readonly Flag[];
  readonly examples: readonly Example[];
  run(invocation: Invocation): Promise<ExitCode> | ExitCode;
}

/** One call of a command. */
export interface Invocation {
  readonly io: CliIo;
  readonly flags: FlagValues;
  readonly operands: readonly string[];
}

/** The flag by which commands that print data print JSON. */
export const JSON_FLAG: Flag = { name: "json", kind: "switch", help: "Print JSON." };

/** The flag that names the config file. */
export const CONFIG_FLAG: Flag = {
  name: "config",
  short: "c",
  kind: "text",
  value: "FILE",
  help: "Config file. Default: posthouse.toml, if it exists.",
};
