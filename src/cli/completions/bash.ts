import type { Command } from "../command.ts";
import { firstWords, flagWords } from "./script_words.ts";

/** Completes for bash: commands, flags and the words that flags allow; else file names. */
export function bashScript(commands: readonly Command[]): string {
  const firsts = firstWords(commands);
  const groups = firsts.filter(({ seconds }) => seconds.length > 0);
  return `# bash completion for posthouse
_posthouse() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]}
  local name=\${COMP_WORDS[1]} words=
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    words=${quote(firsts.map(({ word }) => word))}
  else
    case "$name" in
${
    groups.map(({ word, seconds }) =>
      `      ${word})
        if [ "$COMP_CWORD" -eq 2 ]; then words=${quote(seconds.map((each) => each.word))}; fi
        case " ${seconds.map((each) => each.word).join(" ")} " in
          *" \${COMP_WORDS[2]} "*) name="$name \${COMP_WORDS[2]}" ;;
        esac ;;`
    ).join("\n")
  }
    esac
    case "$name:$prev" in
${commands.flatMap(choiceCases).join("\n")}
      *)
        case "$name" in
${commands.map(flagCase).join("\n")}
        esac ;;
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o default -F _posthouse posthouse
`;
}

function choiceCases({ name, flags }: Command): string[] {
  return flags.flatMap(({ name: flag, choices }) =>
    choices === undefined ? [] : [`      "${name}:--${flag}") words=${quote(choices)} ;;`]
  );
}

function flagCase(command: Command): string {
  return `          "${command.name}") words="$words "${quote(flagWords(command))} ;;`;
}

function quote(words: readonly string[]): string {
  return `'${words.join(" ")}'`;
}
