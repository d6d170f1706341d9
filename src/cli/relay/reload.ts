import { type Command, type Invocation, JSON_FLAG } from "../command.ts";
import { EXIT, type ExitCode, writeJson } from "../io.ts";
import { printable } from "../text.ts";
import { ask } from "./ask.ts";
import { RELAY_FLAGS, withRelay } from "./open.ts";

/** Has the running relay read its config again. */
export const reloadCommand: Command = {
  name: "reload",
  summary: "Have the running relay read its config again, without dropping sessions.",
  details:
    "As SIGHUP does, but tells what came of it. With a mistake in the config the former one " +
    "holds, and every mistake is listed. Exit status 1 also when something needs a restart.",
  flags: [...RELAY_FLAGS, JSON_FLAG],
  examples: [{ command: "reload", does: "After an edit" }],
  run: reload,
};

async function reload(invocation: Invocation): Promise<ExitCode> {
  const { io, flags } = invocation;
  return await withRelay(invocation, async (client) => {
    const { kind, problem } = await ask(client.config.reload.$post());
    if (flags.switch("json")) writeJson(io, { kind, problem });
    else if (problem === null) io.out("The config holds.\n");
    else io.err(`The config holds but for this: ${printable(problem)}\n`);
    return kind === "reloaded" ? EXIT.ok : EXIT.failed;
  });
}
