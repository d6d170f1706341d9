import type { Flag } from "../command.ts";
import type { FlagValues } from "../flags.ts";

/** The flags of commands that pause something. */
export const PAUSE_FLAGS: readonly Flag[] = [
  { name: "for", kind: "duration", value: "TIME", help: "Duration. Default: until resumed." },
  { name: "reason", kind: "text", value: "TEXT", help: "Reason, shown to other operators." },
];

/** What the API is asked for. */
export function pauseOf(flags: FlagValues): { reason?: string; forMs?: number } {
  const reason = flags.text("reason");
  const forMs = flags.number("for");
  return {
    ...(reason === undefined ? {} : { reason }),
    ...(forMs === undefined ? {} : { forMs }),
  };
}
