import type { Account } from "../../auth/authenticator.ts";
import type { Clock } from "../../base/clock.ts";
import { reply } from "../../mail/reply.ts";
import { type AuthorDecision, decideAuthors } from "../../policy/authors.ts";
import type { Decision } from "../../policy/decision.ts";
import type { UserRates } from "../../policy/user_rate.ts";
import { decideUserSender } from "../../policy/user_sender.ts";
import type { ServerPolicy } from "./policy.ts";

/** What the rules for users need. */
export interface UserRules {
  /** What a user may do now; null for one that does not exist any more. */
  readonly account: (user: string) => Account | null;
  /** Shared by all listeners. */
  readonly rates: UserRates;
  readonly clock: Clock;
}

/** The user was removed or disabled while the message came in. */
const GONE: AuthorDecision = {
  kind: "refuse",
  reply: reply(550, "5.7.1", "Not authorized to send"),
};

/** A policy that asks, before all else, whether an authenticated user may do what it wants. */
export function withUserRules(
  policy: ServerPolicy,
  { account, rates, clock }: UserRules,
): ServerPolicy {
  const judge = (user: string, request: Parameters<ServerPolicy["mail"]>[1]): Decision => {
    const rules = account(user);
    const decision = decideUserSender(rules, request.sender);
    if (rules === null || decision.kind === "refuse") return decision;
    return rates.take(rules, clock.now());
  };
  return {
    ...policy,
    mail(facts, request) {
      const decision = facts.user === null ? null : judge(facts.user, request);
      return decision?.kind === "refuse" ? decision : policy.mail(facts, request);
    },
    authors(facts, header) {
      if (facts.user === null) return policy.authors(facts, header);
      const rules = account(facts.user);
      return rules === null ? GONE : decideAuthors(rules, header);
    },
    messageBytes({ user }) {
      return user === null ? 0 : account(user)?.messageSizeBytes ?? 0;
    },
  };
}
