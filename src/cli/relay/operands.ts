import type { Invocation } from "../command.ts";

/** The only operand; null, and told, when there is none or there are more. */
export function named({ io, operands }: Invocation, what: string): string | null {
  const [name, ...more] = operands;
  if (name !== undefined && name !== "" && more.length === 0) return name;
  io.err(`Name ${what}${more.length === 0 ? "" : `, got ${operands.join(" ")}`}.\n`);
  return null;
}
