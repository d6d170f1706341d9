import { type Command, CONFIG_FLAG, type Invocation, JSON_FLAG } from "../command.ts";
import { EXIT, type ExitCode } from "../io.ts";
import { storedPassword } from "./credentials.ts";
import { PASSWORD_FLAGS, readPassword } from "./password_input.ts";
import { changeUser, operandsOf, wrongUsage } from "./run.ts";

/** Replaces a user's password. */
export const userPasswdCommand: Command = {
  name: "user passwd",
  summary: "Change the password of a user.",
  operands: "NAME",
  details: "Device passwords stay unchanged.",
  flags: [...PASSWORD_FLAGS, CONFIG_FLAG, JSON_FLAG],
  examples: [
    { command: "user passwd alice@example.net", does: "Ask for the new password" },
    { command: "user passwd app --password-stdin < secret", does: "Read it from a file" },
  ],
  run: passwd,
};

async function passwd(invocation: Invocation): Promise<ExitCode> {
  const [name] = operandsOf(invocation, ["the name of a user"]) ?? [];
  if (name === undefined) return EXIT.usage;
  const input = await readPassword(invocation);
  if (input.kind === "wrong") return wrongUsage(invocation, input.reason);
  const { password, isGenerated } = input;
  return await changeUser(invocation, {
    name,
    async edit(user) {
      const { password: _former, scram: _keys, ...rest } = user;
      const isAlone = (user.devices ?? []).length === 0;
      const hasScram = user.password === undefined || user.scram !== undefined;
      const stored = await storedPassword(
        isAlone ? rest : user,
        password,
        isAlone ? { scram: hasScram } : {},
      );
      return { kind: "changed", user: { ...rest, ...stored } };
    },
    done: `Changed the password of ${name}.`,
    secret: isGenerated ? password : null,
  });
}
