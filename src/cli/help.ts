import type { Command, Flag } from "./command.ts";
import { flagsOf } from "./flags.ts";
import type { Style } from "./style.ts";
import { pad, wrap } from "./text.ts";

const PROGRAM = "posthouse";
const COLUMNS = 96;

/** What commands are for, by their first words; those that stand nowhere come last. */
const TOPICS: readonly (readonly [string, readonly string[]])[] = [
  ["Set up and run", ["serve", "init", "check", "schema", "demo", "version", "completions"]],
  ["Mail in the queue", ["queue", "send"]],
  [
    "The running relay",
    ["top", "tail", "explain", "transports", "destinations", "suppress", "webhooks", "reload"],
  ],
  ["Users and keys", ["user", "key"]],
  ["Sending domains", ["dkim", "preflight"]],
  ["Backup and restore", ["backup", "restore"]],
];

/** The overview of all commands, by topic. */
export function overview(commands: readonly Command[], style: Style): string {
  const known = new Set(TOPICS.flatMap(([, words]) => words));
  const of = (isMember: (word: string) => boolean): readonly Command[] =>
    commands.filter(({ name }) => isMember(name.split(" ")[0] ?? ""));
  const topics = [
    ...TOPICS.map(([title, words]) => [title, of((word) => words.includes(word))] as const),
    ["More", of((word) => !known.has(word))] as const,
  ].filter(([, members]) => members.length > 0);
  const width = Math.max(...commands.map(({ name }) => name.length));
  return lines(
    "Posthouse is a mail relay: SMTP in, a durable queue, SMTP out.",
    "",
    `${style.bold("Usage:")} ${PROGRAM} [COMMAND] [FLAGS]`,
    ...topics.flatMap(([title, members]) => [
      "",
      style.bold(`${title}:`),
      ...members.map((command) => summaryLine(command, { width, style })),
    ]),
    "",
    `Without a command, runs serve. ${PROGRAM} COMMAND --help describes a command.`,
    "Exit status: 0 success, 1 failure, 2 wrong usage or config.",
  );
}

/** The overview of the commands that begin with the same word. */
export function groupOverview(commands: readonly Command[], style: Style): string {
  const [word = ""] = commands[0]?.name.split(" ") ?? [];
  const width = Math.max(...commands.map(({ name }) => name.length));
  const lists = commands.some(({ name }) => name === `${word} list`);
  return lines(
    `${style.bold("Usage:")} ${PROGRAM} ${word} COMMAND [FLAGS]`,
    "",
    style.bold("Commands:"),
    ...commands.map((command) => summaryLine(command, { width, style })),
    "",
    `${lists ? "Without a command, lists. " : ""}${PROGRAM} ${word} COMMAND --help describes ` +
      "a command.",
  );
}

function summaryLine(
  { name, summary }: Command,
  { width, style }: { width: number; style: Style },
): string {
  return `  ${style.cyan(pad(name, width))}  ${summary}`;
}

/** The help of one command. */
export function commandHelp(command: Command, style: Style): string {
  const flags = flagsOf(command).map((flag) => [flagText(flag), flagHelp(flag)] as const);
  const width = Math.max(...flags.map(([text]) => text.length));
  return lines(
    command.summary,
    "",
    `${style.bold("Usage:")} ${usageOf(command)}`,
    ...command.details === undefined ? [] : ["", ...wrap(command.details, COLUMNS)],
    "",
    style.bold("Flags:"),
    ...flags.flatMap(([text, help]) =>
      wrap(help, COLUMNS - width - 4).map((line, index) =>
        `  ${style.cyan(pad(index === 0 ? text : "", width))}  ${line}`
      )
    ),
    "",
    style.bold("Examples:"),
    ...command.examples.flatMap(({ command: example, does }) => [
      `  ${style.dim(`# ${does}`)}`,
      `  ${PROGRAM} ${example}`,
    ]),
  );
}

/** `posthouse queue list [ID…] [FLAGS]`. */
export function usageOf({ name, operands }: Command): string {
  return `${PROGRAM} ${name}${operands === undefined ? "" : ` ${operands}`} [FLAGS]`;
}

function flagText({ name, short, kind, value }: Flag): string {
  const shortText = short === undefined ? "    " : `-${short}, `;
  return `${shortText}--${name}${kind === "switch" ? "" : ` ${value ?? "VALUE"}`}`;
}

function flagHelp({ help, choices, kind }: Flag): string {
  const words = choices === undefined ? "" : ` One of ${choices.join(", ")}.`;
  return `${help}${words}${kind === "texts" ? " May be repeated." : ""}`;
}

function lines(...parts: readonly string[]): string {
  return `${parts.join("\n")}\n`;
}
