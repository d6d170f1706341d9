import type { Config } from "../config/schema.ts";
import { AliasMap } from "../policy/aliases.ts";
import { DomainSet } from "../policy/domain_set.ts";
import { type Network, parseNetwork } from "../policy/network.ts";
import type { UsageRules } from "../policy/limits/usage_limits.ts";
import type { RelayRules } from "../policy/relay_policy.ts";

/** Who may send where, from the configuration. */
export function relayRules({ relay, hostname }: Config): RelayRules {
  return {
    trustedNetworks: relay.networks.map(networkOf),
    relayDomains: new DomainSet(relay.domains),
    ownNames: new DomainSet([hostname]),
  };
}

/** The aliases of the configuration; null where there are none. */
export function aliasMap({ aliases }: Config): AliasMap | null {
  const entries = Object.entries(aliases);
  return entries.length === 0 ? null : new AliasMap(entries);
}

/** What clients may do in a time, from the configuration. */
export function usageRules({ limits: { client, listener, exempt } }: Config): UsageRules {
  return { client, listener, exempt: exempt.map(networkOf) };
}

/**
 * Reads a network.
 *
 * @throws RangeError for what is none, which the configuration has ruled out.
 */
export function networkOf(text: string): Network {
  const parsed = parseNetwork(text);
  if (parsed.kind === "ok") return parsed.network;
  throw new RangeError(`Cannot use network ${text}: ${parsed.reason}`);
}
