import type { EnvelopeExtras } from "../../mail/envelope.ts";
import { reply } from "../../mail/reply.ts";

/** The refusal of mail that is of no use any more when it may go. */
export const HELD_TOO_LONG = reply(501, "5.5.4", "The message would be held past its deadline");

/** Whether a message may only go when it should be there already (RFC 4865, RFC 2852). */
export function isHeldTooLong({ holdUntilMs, deliverBy }: EnvelopeExtras): boolean {
  if (holdUntilMs === undefined || deliverBy === undefined) return false;
  return holdUntilMs >= deliverBy.deadlineMs;
}
