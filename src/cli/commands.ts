import { backupCommand } from "./backup/backup.ts";
import { restoreCommand } from "./backup/restore.ts";
import { checkCommand } from "./check.ts";
import { dkimCheckCommand } from "./dkim/check.ts";
import { dkimGenerateCommand } from "./dkim/generate.ts";
import type { Command } from "./command.ts";
import { completionsCommand } from "./completions/command.ts";
import { demoCommand } from "./demo.ts";
import { initCommands } from "./init/commands.ts";
import { keyCommands } from "./key.ts";
import { preflightCommand } from "./preflight.ts";
import { queueChangeCommands } from "./queue/change.ts";
import { queueExportCommand } from "./queue/export.ts";
import { queueImportCommand } from "./queue/import.ts";
import { queueListCommand } from "./queue/list.ts";
import { queueRecipientsCommand } from "./queue/recipients.ts";
import { queueRerouteCommand } from "./queue/reroute.ts";
import { queueSendAgainCommand } from "./queue/send_again.ts";
import { queueShapeCommand } from "./queue/shape.ts";
import { queueShowCommand } from "./queue/show.ts";
import { destinationCommands } from "./relay/destinations.ts";
import { explainCommand } from "./relay/explain.ts";
import { reloadCommand } from "./relay/reload.ts";
import { suppressCommands } from "./relay/suppress.ts";
import { tailCommand } from "./relay/tail.ts";
import { topCommand } from "./relay/top.ts";
import { transportCommands } from "./relay/transports.ts";
import { webhookCommands } from "./relay/webhooks.ts";
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
  queueShapeCommand,
  queueShowCommand,
  ...queueChangeCommands,
  queueRerouteCommand,
  queueRecipientsCommand,
  queueSendAgainCommand,
  queueExportCommand,
  queueImportCommand,
  topCommand,
  tailCommand,
  explainCommand,
  ...transportCommands,
  ...destinationCommands,
  ...suppressCommands,
  ...webhookCommands,
  reloadCommand,
  preflightCommand,
  ...userCommands,
  ...keyCommands,
  backupCommand,
  restoreCommand,
  dkimGenerateCommand,
  dkimCheckCommand,
  demoCommand,
  ...initCommands,
  completionsCommand(() => COMMANDS),
  versionCommand,
];
