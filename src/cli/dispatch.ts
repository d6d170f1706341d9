import { nearest } from "../base/suggest.ts";
import type { Command } from "./command.ts";
import { parseArguments } from "./flags.ts";
import { commandHelp, groupOverview, overview, usageOf } from "./help.ts";
import { type CliIo, EXIT, type ExitCode } from "./io.ts";
import { styleOf } from "./style.ts";

/** The command that runs when none is named. */
const DEFAULT_COMMAND = "serve";

/** Finds the command that the arguments name, runs it, and returns the exit status. */
export async function dispatch(io: CliIo, commands: readonly Command[]): Promise<ExitCode> {
  const choice = choose(io.args, commands);
  switch (choice.kind) {
    case "overview":
      (choice.isAskedFor ? io.out : io.err)(choice.describe(choice.commands, styleOf(io)));
      return choice.isAskedFor ? EXIT.ok : EXIT.usage;
    case "unknown":
      io.err(`${unknownCommand(choice.name, commands)} See posthouse --help.\n`);
      return EXIT.usage;
    case "command":
      return await runCommand(io, choice);
  }
}

type Choice =
  | { readonly kind: "command"; readonly command: Command; readonly args: readonly string[] }
  /** Help about all commands or a group of them. */
  | {
    readonly kind: "overview";
    readonly commands: readonly Command[];
    readonly describe: typeof overview;
    readonly isAskedFor: boolean;
  }
  | { readonly kind: "unknown"; readonly name: string };

async function runCommand(
  io: CliIo,
  { command, args }: { command: Command; args: readonly string[] },
): Promise<ExitCode> {
  const parsed = parseArguments(args, command);
  switch (parsed.kind) {
    case "help":
      io.out(commandHelp(command, styleOf(io)));
      return EXIT.ok;
    case "wrong":
      io.err(`${parsed.reason}\nUsage: ${usageOf(command)}\n`);
      return EXIT.usage;
    case "ok":
      return await command.run({ io, ...parsed });
  }
}

function choose(args: readonly string[], commands: readonly Command[]): Choice {
  const [first, second] = args;
  if (first === "--help" || first === "-h") {
    return { kind: "overview", commands, describe: overview, isAskedFor: true };
  }
  if (first === "--version" || first === "-V") return choose(["version"], commands);
  if (first === "help") return choose([...args.slice(1), "--help"], commands);
  if (first === undefined || first.startsWith("-")) {
    return choose([DEFAULT_COMMAND, ...args], commands);
  }
  const member = commands.find(({ name }) => name === `${first} ${second}`);
  if (member !== undefined) return { kind: "command", command: member, args: args.slice(2) };
  const command = commands.find(({ name }) => name === first);
  const group = commands.filter(({ name }) => name.startsWith(`${first} `));
  const hasWord = second !== undefined && !second.startsWith("-");
  if (group.length > 0 && hasWord && command?.operands === undefined) {
    return { kind: "unknown", name: `${first} ${second}` };
  }
  if (command !== undefined) return { kind: "command", command, args: args.slice(1) };
  return group.length === 0 ? { kind: "unknown", name: first } : wholeGroup(group, args.slice(1));
}

/** A group without the word that says which of its commands: it lists, where it can. */
function wholeGroup(group: readonly Command[], args: readonly string[]): Choice {
  const isAskedFor = args[0] === "--help" || args[0] === "-h";
  const list = group.find(({ name }) => name.endsWith(" list"));
  if (list !== undefined && !isAskedFor) return { kind: "command", command: list, args };
  return { kind: "overview", commands: group, describe: groupOverview, isAskedFor };
}

function unknownCommand(name: string, commands: readonly Command[]): string {
  const candidates = commands.flatMap((command) => [
    command.name,
    ...name.includes(" ") ? [] : [command.name.split(" ")[0] ?? ""],
  ]);
  const suggestion = nearest(name, candidates);
  const hint = suggestion === null ? "" : ` Did you mean ${suggestion}?`;
  return `Unknown command ${name}.${hint}`;
}
