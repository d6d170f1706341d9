import { type Command, type Invocation, JSON_FLAG } from "../command.ts";
import { EXIT, type ExitCode, writeJson } from "../io.ts";
import { printable } from "../text.ts";
import { ask } from "./ask.ts";
import { RELAY_FLAGS, withRelay } from "./open.ts";

/** Has the running relay read its config again. */
export const reloadCommand: Command = {
  name: "reload",
  summary: "Reload the config of the running relay without dropping sessions.",
  details: "Works like SIGHUP and reports the result. If the config has errors, the previous one " +
    "stays in force and every error is listed. Exits with status 1 if a setting needs a " +
    "restart.",
  flags: [...RELAY_FLAGS, JSON_FLAG],
  examples: [{ command: "reload", does: "Apply an edited config" }],
  run: reload,
};

async function reload(invocation: Invocation): Promise<ExitCode> {
  const { io, flags } = invocation;
  return await withRelay(invocation, async (client) => {
    const { kind, problem } = await ask(client.config.reload.$post());
    if (flags.switch("json")) writeJson(io, { kind, problem });
    else if (problem === null) io.out("Reloaded the config.\n");
    else io.err(`Reloaded the config, except: ${printable(problem)}\n`);
    return kind === "reloaded" ? EXIT.ok : EXIT.failed;
  });
}
