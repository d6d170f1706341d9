import { type Command, CONFIG_FLAG, type Invocation, JSON_FLAG } from "../command.ts";
import { EXIT, type ExitCode } from "../io.ts";
import { changeUser, operandsOf } from "./run.ts";

/** Removes a user. */
export const userRemoveCommand: Command = {
  name: "user remove",
  summary: "Remove a user and its devices.",
  operands: "NAME",
  details: "Open sessions of the user can no longer send. To disable a user instead: user set " +
    "--disable.",
  flags: [CONFIG_FLAG, JSON_FLAG],
  examples: [{ command: "user remove alice@example.net", does: "Remove a user" }],
  run: remove,
};

async function remove(invocation: Invocation): Promise<ExitCode> {
  const [name] = operandsOf(invocation, ["the name of a user"]) ?? [];
  if (name === undefined) return EXIT.usage;
  return await changeUser(invocation, {
    name,
    edit: () => ({ kind: "changed", user: null }),
    done: `Removed ${name}.`,
  });
}
