import { ACCEPT } from "../../policy/decision.ts";
import { decideRelay, isTrusted, type RelayRules } from "../../policy/relay_policy.ts";
import { OPEN_POLICY, type ServerPolicy } from "./policy.ts";

/**
 * The policy of a server that has no rules but who may relay where.
 *
 * @param keepsBcc whether Bcc fields stay in the messages of those who may send to anyone.
 */
export function relayServerPolicy(
  rules: RelayRules,
  { keepsBcc = false }: { keepsBcc?: boolean } = {},
): ServerPolicy {
  return {
    ...OPEN_POLICY,
    rcpt: ({ clientAddress, user }, { recipient, routed, alias }) =>
      alias ? ACCEPT : decideRelay(rules, { clientAddress, user, recipient, routed }),
    trusts: (facts) => isTrusted(rules, facts),
    hidesBcc: (facts) => !keepsBcc && isTrusted(rules, facts),
  };
}
