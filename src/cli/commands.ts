import { checkCommand } from "./check.ts";
import type { Command } from "./command.ts";
import { schemaCommand } from "./schema.ts";
import { versionCommand } from "./version.ts";

/** All commands, in the order of the overview. */
export const COMMANDS: readonly Command[] = [
  checkCommand,
  schemaCommand,
  versionCommand,
];
