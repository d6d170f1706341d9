import type { Command, Flag } from "../command.ts";
import { flagsOf } from "../flags.ts";
import { firstWords, takesFile } from "./script_words.ts";

/** Completes for fish: commands and flags with what they do, and the words that flags allow. */
export function fishScript(commands: readonly Command[]): string {
  const lines = firstWords(commands).flatMap(({ word, summary, seconds }) => {
    const isOpen = `__fish_seen_subcommand_from ${word}; and not __fish_seen_subcommand_from ${
      seconds.map((second) => second.word).join(" ")
    }`;
    return [
      line({ when: "__fish_use_subcommand", word, summary }),
      ...seconds.map((second) => line({ when: isOpen, ...second })),
    ];
  });
  const flags = commands.flatMap((command) => {
    const when = conditionOf(command, commands);
    return flagsOf(command).map((flag) => flagLine(flag, when));
  });
  return `# fish completion for posthouse\n${[...lines, ...flags].join("\n")}\n`;
}

/** When the flags of a command are offered: its words were typed, and none of a longer name. */
function conditionOf({ name }: Command, commands: readonly Command[]): string {
  const words = name.split(" ").map((word) => `__fish_seen_subcommand_from ${word}`);
  const longer = commands.filter((other) => other.name.startsWith(`${name} `))
    .map((other) => other.name.slice(name.length + 1));
  const not = longer.length === 0 ? [] : [`not __fish_seen_subcommand_from ${longer.join(" ")}`];
  return [...words, ...not].join("; and ");
}

function line({ when, word, summary }: { when: string; word: string; summary: string }): string {
  return `complete -c posthouse -f -n ${quote(when)} -a ${word} -d ${quote(summary)}`;
}

function flagLine(flag: Flag, when: string): string {
  const { name, short, kind, choices, help } = flag;
  const value = kind === "switch"
    ? ""
    : choices !== undefined
    ? ` -x -a ${quote(choices.join(" "))}`
    : takesFile(flag)
    ? " -r -F"
    : " -x";
  const letter = short === undefined ? "" : ` -s ${short}`;
  return `complete -c posthouse -n ${quote(when)} -l ${name}${letter}${value} -d ${quote(help)}`;
}

function quote(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
