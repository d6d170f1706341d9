import type { Config } from "../../config/schema.ts";
import { type UserConfig, userConfig, usersSchema } from "../../config/sections/users.ts";
import { formatSize } from "../../config/units.ts";
import { type Command, CONFIG_FLAG, type Invocation, JSON_FLAG } from "../command.ts";
import { configOrProblems } from "../configuration.ts";
import { EXIT, type ExitCode, writeJson } from "../io.ts";
import { styleOf } from "../style.ts";
import { type Column, formatTable } from "../table.ts";
import { counted, printable } from "../text.ts";
import { readUsers } from "./users_store.ts";

/** Lists the users of the config and of the users file. */
export const userListCommand: Command = {
  name: "user list",
  summary: "List the users with their permissions and devices.",
  flags: [CONFIG_FLAG, JSON_FLAG],
  examples: [{ command: "user list --json", does: "As JSON, without hashes" }],
  run: list,
};

/** What is shown of a user: nothing that helps to log in. */
interface ListedUser {
  readonly name: string;
  readonly enabled: boolean;
  /** Where it stands. */
  readonly source: "config" | "file";
  readonly hasPassword: boolean;
  /** Whether every password can be used with SCRAM. */
  readonly hasScram: boolean;
  readonly devices: readonly string[];
  readonly senders: readonly string[] | null;
  readonly messageSizeBytes: number | null;
  readonly messagesPerHour: number | null;
  readonly messagesPerDay: number | null;
}

async function list(invocation: Invocation): Promise<ExitCode> {
  const { io, flags } = invocation;
  const config = await configOrProblems(io, flags, ["data_dir", "auth"]);
  if (config === null) return EXIT.usage;
  const read = await readUsers(config);
  if (read.kind === "refused") {
    io.err(`${read.reason}\n`);
    return EXIT.failed;
  }
  const ofFile = usersSchema.parse(read.document.users).map(userConfig);
  const users = allUsers(config, ofFile);
  if (flags.switch("json")) writeJson(io, { users });
  else writeTable(invocation, users);
  return EXIT.ok;
}

function allUsers(config: Config, ofFile: readonly UserConfig[]): ListedUser[] {
  return [
    ...config.users.map((user) => listed(user, "config")),
    ...ofFile.map((user) => listed(user, "file")),
  ];
}

function listed(user: UserConfig, source: ListedUser["source"]): ListedUser {
  const { name, enabled, password, scram, devices, ...limits } = user;
  const passwords = [...password === null ? [] : [{ scram }], ...devices];
  return {
    name,
    enabled,
    source,
    hasPassword: password !== null,
    hasScram: passwords.length > 0 && passwords.every((each) => each.scram !== null),
    devices: devices.map((device) => device.name),
    ...limits,
  };
}

function writeTable({ io }: Invocation, users: readonly ListedUser[]): void {
  if (users.length === 0) {
    io.out("No users.\n");
    return;
  }
  const style = styleOf(io);
  io.out(formatTable(users, { columns: COLUMNS, width: io.terminal.columns(), style }));
  io.out(`${style.dim(counted(users.length, "user"))}\n`);
}

const COLUMNS: readonly Column<ListedUser>[] = [
  { header: "NAME", cell: ({ name }) => printable(name), minWidth: 12 },
  { header: "STATE", cell: ({ enabled }) => enabled ? "enabled" : "disabled" },
  { header: "IN", cell: ({ source }) => source },
  { header: "PASSWORD", cell: passwordText },
  { header: "DEVICES", cell: ({ devices }) => textOf(devices), minWidth: 10 },
  {
    header: "SENDERS",
    cell: ({ senders }) => senders === null ? "any" : textOf(senders.map(senderText)),
    minWidth: 10,
  },
  { header: "LIMITS", cell: limitsText },
];

function passwordText({ hasPassword, devices, hasScram }: ListedUser): string {
  if (!hasPassword && devices.length === 0) return "-";
  return `${hasPassword ? "yes" : "devices"}${hasScram ? "" : ", no SCRAM"}`;
}

function senderText(pattern: string): string {
  return pattern === "" ? "<>" : pattern;
}

function limitsText(
  { messageSizeBytes, messagesPerHour, messagesPerDay }: ListedUser,
): string {
  return textOf([
    ...messageSizeBytes === null ? [] : [formatSize(messageSizeBytes)],
    ...messagesPerHour === null ? [] : [`${messagesPerHour}/h`],
    ...messagesPerDay === null ? [] : [`${messagesPerDay}/d`],
  ]);
}

function textOf(parts: readonly string[]): string {
  return parts.length === 0 ? "-" : printable(parts.join(", "));
}
