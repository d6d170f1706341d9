import { COMMANDS } from "./cli/commands.ts";
import { dispatch } from "./cli/dispatch.ts";
import { systemIo } from "./cli/system_io.ts";

if (import.meta.main) Deno.exit(await dispatch(systemIo(), COMMANDS));
