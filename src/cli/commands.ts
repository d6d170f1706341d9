import { checkCommand } from "./check.ts";
import type { Command } from "./command.ts";
import { demoCommand } from "./demo.ts";
import { queueChangeCommands } from "./queue/change.ts";
import { queueListCommand } from "./queue/list.ts";
import { queueShowCommand } from "./queue/show.ts";
import { schemaCommand } from "./schema.ts";
import { sendCommand } from "./send.ts";
import { serveCommand } from "./serve.ts";
import { userCommands } from "./user/commands.ts";
import { versionCommand } from "./version.ts";

/** All commands, in the order of the overview. */
export const COMMANDS: readonly Command[] = [
  serveCommand,
  checkCommand,
  schemaCommand,
  sendCommand,
  queueListCommand,
  queueShowCommand,
  ...queueChangeCommands,
  ...userCommands,
  demoCommand,
  versionCommand,
];
