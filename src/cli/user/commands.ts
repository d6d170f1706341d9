import type { Command } from "../command.ts";
import { userAddCommand } from "./add.ts";
import { userDeviceCommand } from "./device.ts";
import { userListCommand } from "./list.ts";
import { userPasswdCommand } from "./passwd.ts";
import { userRemoveCommand } from "./remove.ts";
import { userSetCommand } from "./set.ts";

/** The commands about users. */
export const userCommands: readonly Command[] = [
  userAddCommand,
  userListCommand,
  userSetCommand,
  userPasswdCommand,
  userDeviceCommand,
  userRemoveCommand,
];
