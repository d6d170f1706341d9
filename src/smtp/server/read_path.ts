import { type ScannedPath, scanPath } from "../wire/path.ts";
import type { VerbSession } from "./verb.ts";

/**
 * Reads the path of MAIL or RCPT by its grammar, and from trusted clients without its brackets, as
 * old devices send it; to take that from strangers would only help those who guess.
 */
export function readPath(
  session: VerbSession,
  { args, keyword }: { args: string; keyword: "FROM" | "TO" },
): ScannedPath {
  const scanned = scanPath(args, keyword);
  if (scanned.kind === "ok" || !session.context.policy.trusts(session)) return scanned;
  return scanPath(args, keyword, { isLoose: true });
}
