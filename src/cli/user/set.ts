import type { UserDocument } from "../../config/sections/users.ts";
import { type Command, CONFIG_FLAG, type Invocation, JSON_FLAG } from "../command.ts";
import type { FlagValues } from "../flags.ts";
import { EXIT, type ExitCode } from "../io.ts";
import { LIMIT_FLAGS, readLimits } from "./limits.ts";
import { changeUser, operandsOf, wrongUsage } from "./run.ts";

/** Changes what a user may do. */
export const userSetCommand: Command = {
  name: "user set",
  summary: "Change the permissions of a user.",
  operands: "NAME",
  details: "Settings without a flag stay unchanged.",
  flags: [
    ...LIMIT_FLAGS,
    { name: "any-sender", kind: "switch", help: "Allow any sender." },
    { name: "no-limits", kind: "switch", help: "Remove the user's own size and rate limits." },
    { name: "enable", kind: "switch", help: "Allow the user to log in." },
    { name: "disable", kind: "switch", help: "Prevent the user from logging in." },
    CONFIG_FLAG,
    JSON_FLAG,
  ],
  examples: [
    { command: "user set app --per-hour 100 --message-size 5MiB", does: "Limit a user" },
    { command: "user set app --disable", does: "Disable a user" },
  ],
  run: set,
};

async function set(invocation: Invocation): Promise<ExitCode> {
  const { flags } = invocation;
  const [name] = operandsOf(invocation, ["the name of a user"]) ?? [];
  if (name === undefined) return EXIT.usage;
  const read = readLimits(flags);
  if (read.kind === "wrong") return wrongUsage(invocation, read.reason);
  const clash = clashOf(flags);
  if (clash !== null) return wrongUsage(invocation, clash);
  return await changeUser(invocation, {
    name,
    edit: (user) => ({
      kind: "changed",
      user: { ...withSwitches(user, flags), ...read.limits },
    }),
    done: `Changed ${name}.`,
  });
}

function clashOf(flags: FlagValues): string | null {
  if (flags.switch("enable") && flags.switch("disable")) {
    return "Use either --enable or --disable.";
  }
  if (flags.switch("any-sender") && flags.texts("sender").length > 0) {
    return "Use either --sender or --any-sender.";
  }
  return null;
}

function withSwitches(user: UserDocument, flags: FlagValues): UserDocument {
  const { enabled, senders, message_size, messages_per_hour, messages_per_day, ...rest } = user;
  const limits = { message_size, messages_per_hour, messages_per_day };
  const isEnabled = flags.switch("disable") ? false : flags.switch("enable") ? undefined : enabled;
  return withoutUndefined({
    ...rest,
    enabled: isEnabled,
    senders: flags.switch("any-sender") ? undefined : senders,
    ...(flags.switch("no-limits") ? {} : limits),
  });
}

function withoutUndefined(user: UserDocument): UserDocument {
  return Object.fromEntries(
    Object.entries(user).filter(([, value]) => value !== undefined),
  ) as UserDocument;
}
