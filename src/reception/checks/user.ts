import { decideUserSender, type SenderRules } from "../../policy/user_sender.ts";
import { refusalIn, type SyncCheck } from "../check.ts";
import type { MailRequest, SessionFacts } from "../facts.ts";
import type { ReceptionRules } from "../rules.ts";

/**
 * What a client may send as: `none` where nobody authenticated, or users have no rules; null for a
 * user that was removed or disabled meanwhile.
 */
export function senderRulesFor(
  { user, senderRules }: SessionFacts,
  { users }: ReceptionRules,
): SenderRules | null | "none" {
  if (senderRules !== undefined) return senderRules;
  return user === null || users === null ? "none" : users.account(user);
}

/** Holds users, and keys of HTTP, to their own addresses. */
export const userSender: SyncCheck<MailRequest> = {
  name: "user_sender",
  about: "addresses that the user may send from",
  judge({ facts, request: { sender } }, rules) {
    const allowed = senderRulesFor(facts, rules);
    return allowed === "none" ? null : refusalIn(decideUserSender(allowed, sender));
  },
};

/** Holds users to the messages that they may send in an hour and a day. */
export const userRate: SyncCheck<MailRequest> = {
  name: "user_rate",
  about: "messages of the user in an hour and a day",
  judge({ facts: { user, senderRules } }, { users, clock }) {
    const account = user === null || senderRules !== undefined ? null : users?.account(user);
    return users && account ? refusalIn(users.rates.judge(account, clock.now())) : null;
  },
  count({ facts: { user, senderRules } }, { users, clock }) {
    const account = user === null || senderRules !== undefined ? null : users?.account(user);
    if (users && account) users.rates.take(account, clock.now());
  },
};
