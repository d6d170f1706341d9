import type { UserDocument } from "../../config/sections/users.ts";
import { type Command, CONFIG_FLAG, type Invocation, JSON_FLAG } from "../command.ts";
import { EXIT, type ExitCode } from "../io.ts";
import { storedPassword } from "./credentials.ts";
import type { UserEdit } from "./find.ts";
import { generatePassword, PASSWORD_FLAGS, readPassword } from "./password_input.ts";
import { changeUser, operandsOf, wrongUsage } from "./run.ts";

/** Makes and revokes passwords of devices. */
export const userDeviceCommand: Command = {
  name: "user device",
  summary: "Create or revoke a password for one device of a user.",
  operands: "NAME DEVICE",
  details:
    "The device logs in with the user's name and its own password. The password is generated " +
    "and printed once, unless --password-stdin sets it.",
  flags: [
    ...PASSWORD_FLAGS.filter(({ name }) => name === "password-stdin"),
    { name: "revoke", kind: "switch", help: "Revoke the password of the device." },
    CONFIG_FLAG,
    JSON_FLAG,
  ],
  examples: [
    { command: "user device alice@example.net phone", does: "Create a password for a phone" },
    {
      command: "user device alice@example.net phone --revoke",
      does: "Revoke the password of a lost phone",
    },
  ],
  run: device,
};

async function device(invocation: Invocation): Promise<ExitCode> {
  const { flags } = invocation;
  const names = ["the name of a user", "that of a device"];
  const [name, deviceName] = operandsOf(invocation, names) ?? [];
  if (name === undefined || deviceName === undefined) return EXIT.usage;
  if (flags.switch("revoke")) {
    return await changeUser(invocation, {
      name,
      edit: (user) => withoutDevice(user, deviceName),
      done: `Revoked ${deviceName} of ${name}.`,
    });
  }
  const input = flags.switch("password-stdin")
    ? await readPassword(invocation)
    : generatePassword();
  if (input.kind === "wrong") return wrongUsage(invocation, input.reason);
  return await changeUser(invocation, {
    name,
    edit: (user) => withDevice(user, { name: deviceName, password: input.password }),
    done: `Added ${deviceName} to ${name}.`,
    secret: input.isGenerated ? input.password : null,
  });
}

async function withDevice(
  user: UserDocument,
  { name, password }: { name: string; password: string },
): Promise<UserEdit> {
  const { devices = [] } = user;
  if (devices.some((other) => other.name === name)) {
    const reason = `${user.name} already has a device ${JSON.stringify(name)}; revoke it first.`;
    return { kind: "refused", reason };
  }
  const stored = await storedPassword(user, password);
  return { kind: "changed", user: { ...user, devices: [...devices, { name, ...stored }] } };
}

function withoutDevice(user: UserDocument, name: string): UserEdit {
  const { devices = [], ...rest } = user;
  const kept = devices.filter((other) => other.name !== name);
  if (kept.length === devices.length) {
    return { kind: "refused", reason: `${user.name} has no device ${JSON.stringify(name)}.` };
  }
  return { kind: "changed", user: kept.length === 0 ? rest : { ...rest, devices: kept } };
}
