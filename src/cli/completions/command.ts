import type { Command, Invocation } from "../command.ts";
import { EXIT, type ExitCode } from "../io.ts";
import { bashScript } from "./bash.ts";
import { fishScript } from "./fish.ts";
import { zshScript } from "./zsh.ts";

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript } as const;

/**
 * Prints completions for a shell.
 *
 * @param commands all commands, asked for when the command runs, as this one is among them.
 */
export function completionsCommand(commands: () => readonly Command[]): Command {
  return {
    name: "completions",
    summary: "Print shell completions for bash, zsh or fish.",
    operands: "SHELL",
    flags: [],
    examples: [
      { command: "completions bash > /etc/bash_completion.d/posthouse", does: "For bash" },
      { command: "completions zsh > /usr/local/share/zsh/site-functions/_posthouse", does: "zsh" },
      { command: "completions fish > ~/.config/fish/completions/posthouse.fish", does: "For fish" },
    ],
    run: (invocation) => print(invocation, commands()),
  };
}

function print({ io, operands }: Invocation, commands: readonly Command[]): ExitCode {
  const [shell, ...more] = operands;
  const script = Object.entries(SCRIPTS).find(([name]) => name === shell)?.[1];
  if (script === undefined || more.length > 0) {
    io.err(`Name one shell: ${Object.keys(SCRIPTS).join(", ")}.\n`);
    return EXIT.usage;
  }
  io.out(script(commands));
  return EXIT.ok;
}
