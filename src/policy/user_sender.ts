import { type Mailbox, parseDomain } from "../mail/address.ts";
import { reply } from "../mail/reply.ts";
import { ACCEPT, type Decision, refuse } from "./decision.ts";
import { fitsWildcard } from "./wildcard.ts";

// RFC 5321 4.2.3 and RFC 3463 3.8: the mailbox may be fine, but it is not this user's.
const NOT_YOURS = reply(553, "5.7.1", "Sender address not allowed for this user");
const REVOKED = reply(550, "5.7.1", "Not authorized to send");

/** What a user may send from; `Account` has this shape. */
export interface SenderRules {
  readonly name: string;
  /**
   * Whole mailboxes in which `*` stands for any run of characters; the empty pattern is the null
   * reverse-path. Null allows all.
   */
  readonly senders: readonly string[] | null;
  /** Where it is held to them; `both` where it is not said. */
  readonly senderCheck?: SenderCheck;
}

/** Where `senders` hold: for the reverse-path, for the authors in the header section, or both. */
export const SENDER_CHECKS = ["both", "envelope", "header"] as const;
export type SenderCheck = (typeof SENDER_CHECKS)[number];

/**
 * Decides whether a user may send from `sender`, which is null for the null reverse-path. `rules`
 * are null for a user that was removed or disabled since the session began.
 */
export function decideUserSender(rules: SenderRules | null, sender: Mailbox | null): Decision {
  if (rules === null) return refuse(REVOKED, "the user does not exist any more");
  const { name, senders, senderCheck } = rules;
  if (senderCheck === "header") return ACCEPT;
  if (senders === null || senders.some((pattern) => fits(pattern, sender))) return ACCEPT;
  return refuse(NOT_YOURS, `the sender is not among those of user ${JSON.stringify(name)}`);
}

function fits(pattern: string, sender: Mailbox | null): boolean {
  if (pattern === "*") return true;
  if (sender === null) return pattern === "";
  const at = pattern.lastIndexOf("@");
  if (at < 0) return false;
  // Nobody gives two users local parts that differ in case alone (RFC 5321 2.4).
  const local = pattern.slice(0, at).toLowerCase();
  const domain = pattern.slice(at + 1).toLowerCase();
  return fitsWildcard(local, sender.localPart.toLowerCase()) &&
    fitsWildcard(parseDomain(domain) ?? domain, sender.domain);
}
