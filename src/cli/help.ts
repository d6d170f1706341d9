import type { Command, Flag } from "./command.ts";
import { flagsOf } from "./flags.ts";
import type { Style } from "./style.ts";
import { pad, wrap } from "./text.ts";

const PROGRAM = "posthouse";
const COLUMNS = 96;

/** The overview of all commands. */
export function overview(commands: readonly Command[], style: Style): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  return lines(
    "Posthouse is a mail relay: SMTP in, a durable queue, SMTP out.",
    "",
    `${style.bold("Usage:")} ${PROGRAM} [COMMAND] [FLAGS]`,
    "",
    style.bold("Commands:"),
    ...commands.map(({ name, summary }) => `  ${style.cyan(pad(name, width))}  ${summary}`),
    "",
    `Without a command, it serves. ${PROGRAM} COMMAND --help tells more about one.`,
    "Exit status: 0 fine, 1 failed, 2 wrong usage or config.",
  );
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
