import { ACCEPT } from "../../policy/decision.ts";
import { decideRelay, type RelayRules } from "../../policy/relay_policy.ts";
import type { ServerPolicy } from "./policy.ts";

/** The policy of a server that has no rules but who may relay where. */
export function relayServerPolicy(rules: RelayRules): ServerPolicy {
  return {
    connect: () => ACCEPT,
    helo: () => ACCEPT,
    mail: () => ACCEPT,
    rcpt: ({ clientAddress, user }, { recipient, routed }) =>
      decideRelay(rules, { clientAddress, user, recipient, routed }),
  };
}
