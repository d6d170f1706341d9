import type { UserDocument } from "../../config/sections/users.ts";
import type { Invocation } from "../command.ts";
import { configOrProblems } from "../configuration.ts";
import { EXIT, type ExitCode, writeJson } from "../io.ts";
import { editOf, type UserEdit } from "./find.ts";
import { type EditResult, editUsers } from "./users_store.ts";

/** The operands, where there are as many as `names`; else tells what is expected. */
export function operandsOf(
  { io, operands }: Invocation,
  names: readonly string[],
): readonly string[] | null {
  if (operands.length === names.length) return operands;
  const got = operands.length === 0 ? "nothing" : operands.join(" ");
  io.err(`Expected ${names.join(" and ")}, got ${got}.\n`);
  return null;
}

/** Changes one user of the users file and tells what happened. */
export async function changeUser(
  invocation: Invocation,
  { name, edit, done, secret = null }: {
    name: string;
    edit: (user: UserDocument) => UserEdit | Promise<UserEdit>;
    /** What is told when it is written. */
    done: string;
    /** A password that was made up, to be shown once. */
    secret?: string | null;
  },
): Promise<ExitCode> {
  const { io, flags } = invocation;
  const config = await configOrProblems(io, flags, ["data_dir", "auth"]);
  if (config === null) return EXIT.usage;
  const result = await editUsers(
    config,
    editOf(name, { config, edit }),
  );
  return tell(invocation, { result, name, done, secret });
}

/** Tells how an edit ended. A running relay notices the change by itself. */
export function tell(
  { io, flags }: Invocation,
  { result, name, done, secret }: {
    result: EditResult;
    name: string;
    done: string;
    secret: string | null;
  },
): ExitCode {
  if (result.kind === "refused") {
    io.err(`${result.reason}\n`);
    return EXIT.failed;
  }
  if (flags.switch("json")) {
    writeJson(io, { name, file: result.path, password: secret });
    return EXIT.ok;
  }
  if (secret !== null) io.out(`${secret}\n`);
  io.err(`${done} (${result.path})\n`);
  return EXIT.ok;
}

/** Tells what is wrong with the arguments. */
export function wrongUsage({ io }: Invocation, reason: string): ExitCode {
  io.err(`${reason}\n`);
  return EXIT.usage;
}
