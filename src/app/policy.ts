import type { Config } from "../config/schema.ts";
import { DomainSet } from "../policy/domain_set.ts";
import { type Network, parseNetwork } from "../policy/network.ts";
import type { RelayRules } from "../policy/relay_policy.ts";

/** Who may send where, from the configuration. */
export function relayRules({ relay, hostname }: Config): RelayRules {
  return {
    trustedNetworks: relay.networks.map(networkOf),
    relayDomains: new DomainSet(relay.domains),
    ownNames: new DomainSet([hostname]),
  };
}

function networkOf(text: string): Network {
  const parsed = parseNetwork(text);
  if (parsed.kind === "ok") return parsed.network;
  throw new RangeError(`Cannot trust network ${text}: ${parsed.reason}`);
}
