import type { AuthFailure } from "./authenticator.ts";
import type { Verdict } from "./sasl/mechanism.ts";
import type { User } from "./user_table.ts";

/** A verdict that says no. */
export function refused(
  failure: AuthFailure,
  cause: string,
): Extract<Verdict, { kind: "refused" }> {
  return { kind: "refused", failure, cause };
}

/**
 * Names that do not exist are not told to the log: often enough they are passwords, typed into
 * the wrong field.
 */
export const UNKNOWN_USER = refused("credentials", "no such user");

/** The verdict on somebody who proved to be `user`; a disabled one is refused. */
export function verdictOn({ account: { name }, enabled }: User, device: string | null): Verdict {
  if (!enabled) return refused("credentials", `user ${JSON.stringify(name)} is disabled`);
  return { kind: "accepted", proof: { user: name, device } };
}
