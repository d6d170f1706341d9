import { type Command, CONFIG_FLAG, type Invocation, JSON_FLAG } from "../command.ts";
import { EXIT, type ExitCode } from "../io.ts";
import { changeUser, operandsOf } from "./run.ts";

/** Removes a user. */
export const userRemoveCommand: Command = {
  name: "user remove",
  summary: "Remove a user and its devices.",
  operands: "NAME",
  details: "Sessions that are logged in may send no more. To keep the user: user set --disable.",
  flags: [CONFIG_FLAG, JSON_FLAG],
  examples: [{ command: "user remove alice@example.net", does: "Removes the user" }],
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
