import type { Invocation } from "./command.ts";
import { writeJson } from "./io.ts";

/** Tells what a command did: in a line for people or, with `--json`, as a value. */
export function writeDone(
  { io, flags }: Invocation,
  { line, value }: { line: string; value: Readonly<Record<string, unknown>> },
): void {
  if (flags.switch("json")) writeJson(io, value);
  else io.out(`${line}\n`);
}
