import type { Command, Flag } from "../command.ts";
import { flagsOf } from "../flags.ts";

/** A first word of the command line, with the second words it takes. */
export interface FirstWord {
  readonly word: string;
  readonly summary: string;
  /** Empty for commands of one word. */
  readonly seconds: readonly { readonly word: string; readonly summary: string }[];
}

/** The words that commands begin with, in their order. */
export function firstWords(commands: readonly Command[]): FirstWord[] {
  const groups = Map.groupBy(commands, ({ name }) => name.split(" ")[0] ?? name);
  return [...groups].map(([word, members]) => ({
    word,
    summary: members.find(({ name }) => name === word)?.summary ??
      members.map(({ name }) => name.slice(word.length + 1)).join(", "),
    seconds: members.filter(({ name }) => name !== word)
      .map(({ name, summary }) => ({ word: name.slice(word.length + 1), summary })),
  }));
}

/** The flags of a command as they are typed. */
export function flagWords(command: Command): string[] {
  return flagsOf(command).flatMap(({ name, short }) => [
    `--${name}`,
    ...short === undefined ? [] : [`-${short}`],
  ]);
}

/** Whether a file name may follow a flag. */
export function takesFile({ value }: Flag): boolean {
  return value === "FILE" || value === "FOLDER";
}
