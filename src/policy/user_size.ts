import { reply } from "../mail/reply.ts";
import { ACCEPT, type Decision, refuse } from "./decision.ts";

const TOO_LARGE = reply(552, "5.3.4", "Message size exceeds the limit of this user");

/** The largest message a session takes: the smaller of the server's limit and the user's. */
export function messageLimitOf(
  serverLimitBytes: number,
  account: { readonly messageSizeBytes: number | null } | null,
): number {
  return Math.min(serverLimitBytes, account?.messageSizeBytes ?? Infinity);
}

/** Decides on a size that was declared (RFC 1870 section 6.1) or counted; null is not known. */
export function decideUserSize(
  account: { readonly messageSizeBytes: number | null } | null,
  sizeBytes: number | null,
): Decision {
  const limitBytes = account?.messageSizeBytes ?? null;
  if (limitBytes === null || sizeBytes === null || sizeBytes <= limitBytes) return ACCEPT;
  return refuse(TOO_LARGE, `${sizeBytes} octets are more than the user's ${limitBytes}`);
}
