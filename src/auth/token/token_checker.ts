import { isSameUsername, prepareUsername } from "../prepare.ts";
import type { Verdict } from "../sasl/mechanism.ts";
import type { UserTable } from "../user_table.ts";
import { refused, verdictOn } from "../verdicts.ts";

/** What is found out about a token. */
export type TokenResult =
  /** `user` is what the issuer calls its owner. */
  | { readonly kind: "valid"; readonly user: string }
  | { readonly kind: "invalid"; readonly cause: string }
  /** Nobody could be asked; the client may try again. */
  | { readonly kind: "unavailable"; readonly cause: string };

/** Asks the issuer of tokens, or knows its keys. */
export interface TokenChecker {
  check(token: string, signal: AbortSignal): Promise<TokenResult>;
}

/** What a token proves here. `username` is what the client calls itself, null for nothing. */
export function judgeToken(
  result: TokenResult,
  { table, username, allowsUnlistedUsers }: {
    table: UserTable;
    username: string | null;
    allowsUnlistedUsers: boolean;
  },
): Verdict {
  if (result.kind === "unavailable") return refused("unavailable", result.cause);
  if (result.kind === "invalid") return refused("credentials", result.cause);
  if (username !== null && !isSameUsername(username, result.user)) {
    return refused("credentials", "the token belongs to another user");
  }
  const user = table.find(result.user);
  if (user !== null) return verdictOn(user, null);
  const name = prepareUsername(result.user);
  // A star would be a pattern among the allowed senders.
  if (!allowsUnlistedUsers || name === null || name.includes("*")) {
    return refused("credentials", "the token's user is not configured");
  }
  return { kind: "accepted", proof: { user: name, device: null } };
}
