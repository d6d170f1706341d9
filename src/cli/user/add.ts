import { isSameUsername } from "../../auth/prepare.ts";
import type { UserDocument } from "../../config/sections/users.ts";
import { printToml } from "../../config/print_toml.ts";
import { type Command, CONFIG_FLAG, type Invocation, JSON_FLAG } from "../command.ts";
import { configOrProblems } from "../configuration.ts";
import { EXIT, type ExitCode } from "../io.ts";
import { storedPassword } from "./credentials.ts";
import { LIMIT_FLAGS, readLimits } from "./limits.ts";
import { PASSWORD_FLAGS, readPassword } from "./password_input.ts";
import { operandsOf, tell, wrongUsage } from "./run.ts";
import { editUsers } from "./users_store.ts";

/** Makes a user. */
export const userAddCommand: Command = {
  name: "user add",
  summary: "Add a user.",
  operands: "NAME",
  details: "Asks for the password at a terminal. The user is stored in the users file " +
    "(auth.users_file); a running relay reads it at once.",
  flags: [
    ...LIMIT_FLAGS,
    ...PASSWORD_FLAGS,
    {
      name: "no-password",
      kind: "switch",
      help: "Set no password; for devices, tokens or certificates only.",
    },
    { name: "no-scram", kind: "switch", help: "Store no SCRAM keys." },
    {
      name: "print",
      kind: "switch",
      help: "Print the user for the config file instead of storing it.",
    },
    CONFIG_FLAG,
    JSON_FLAG,
  ],
  examples: [
    { command: "user add alice@example.net", does: "Ask for a password" },
    {
      command: "user add app --generate --sender '*@example.net'",
      does: "Add an application with a generated password",
    },
    {
      command: "user add printer --no-password",
      does: "Add a user for devices, then: user device printer second-floor",
    },
  ],
  run: add,
};

async function add(invocation: Invocation): Promise<ExitCode> {
  const { io, flags } = invocation;
  const [name] = operandsOf(invocation, ["the name of a user"]) ?? [];
  if (name === undefined) return EXIT.usage;
  const read = readLimits(flags);
  if (read.kind === "wrong") return wrongUsage(invocation, read.reason);
  const config = await configOrProblems(io, flags, ["data_dir", "auth"]);
  if (config === null) return EXIT.usage;
  const made = await makeUser(invocation, { name, ...read.limits });
  if (typeof made === "string") return wrongUsage(invocation, made);
  const { user, generated } = made;
  if (flags.switch("print")) {
    if (generated !== null) io.err(`Password: ${generated}\n`);
    io.out(printToml({ users: [user] }));
    return EXIT.ok;
  }
  const result = await editUsers(
    config,
    (users) =>
      users.some((other) => isSameUsername(other.name, name))
        ? {
          kind: "refused",
          reason: `User ${JSON.stringify(name)} already exists. Change it with posthouse user set.`,
        }
        : { kind: "changed", users: [...users, user] },
  );
  return tell(invocation, { result, name, done: `Added ${name}.`, secret: generated });
}

interface MadeUser {
  readonly user: UserDocument;
  /** A password that was made up, to be shown once. */
  readonly generated: string | null;
}

/** The user with its password, or what is wrong. */
async function makeUser(
  invocation: Invocation,
  user: UserDocument,
): Promise<MadeUser | string> {
  const { flags } = invocation;
  if (flags.switch("no-password")) return { user, generated: null };
  const input = await readPassword(invocation);
  if (input.kind === "wrong") return input.reason;
  const { password, isGenerated } = input;
  const stored = await storedPassword(user, password, { scram: !flags.switch("no-scram") });
  const { name, ...limits } = user;
  return { user: { name, ...stored, ...limits }, generated: isGenerated ? password : null };
}
