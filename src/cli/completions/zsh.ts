import type { Command, Flag } from "../command.ts";
import { flagsOf } from "../flags.ts";
import { firstWords, takesFile } from "./script_words.ts";

/** Completes for zsh: commands and flags with what they do, and the words that flags allow. */
export function zshScript(commands: readonly Command[]): string {
  const firsts = firstWords(commands);
  const groups = firsts.filter(({ seconds }) => seconds.length > 0);
  return `#compdef posthouse
_posthouse() {
  local name=$words[2]
  local -a names
  if (( CURRENT == 2 )); then
    names=(${firsts.map(described).join(" ")})
    _describe command names
    return
  fi
  case $name in
${
    groups.map(({ word, seconds }) =>
      `    ${word})
      if (( CURRENT == 3 )) && [[ $words[3] != -* ]]; then
        names=(${seconds.map(described).join(" ")})
        _describe command names
        return
      fi
      case $words[3] in
        ${seconds.map((each) => each.word).join("|")})
          name="$name $words[3]"
          shift words
          (( CURRENT-- )) ;;
      esac ;;`
    ).join("\n")
  }
  esac
  shift words
  (( CURRENT-- ))
  case $name in
${commands.map(argumentsOf).join("\n")}
  esac
}
_posthouse "$@"
`;
}

function described({ word, summary }: { word: string; summary: string }): string {
  return quote(`${word}:${summary.replaceAll(":", "\\:")}`);
}

function argumentsOf(command: Command): string {
  const flags = flagsOf(command).flatMap(flagSpecs).map(quote);
  const operands = command.operands === undefined ? [] : [quote(`*:${command.operands}:_files`)];
  return `    ${quote(command.name)}) _arguments ${[...flags, ...operands].join(" ")} ;;`;
}

/** `*--state[Messages with …]:STATE:(queued held)`, as _arguments reads it; so too its letter. */
function flagSpecs(flag: Flag): string[] {
  const { name, short, kind, value = "VALUE", choices, help } = flag;
  const repeat = kind === "texts" ? "*" : "";
  const text = help.replaceAll(/[[\]:]/g, "\\$&");
  const action = choices !== undefined ? `(${choices.join(" ")})` : takesFile(flag) ? "_files" : "";
  const rest = `[${text}]${kind === "switch" ? "" : `:${value.replaceAll(":", "\\:")}:${action}`}`;
  const letter = short === undefined ? [] : [`${repeat}-${short}${rest}`];
  return [`${repeat}--${name}${rest}`, ...letter];
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
