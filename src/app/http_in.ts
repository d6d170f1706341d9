import type { Clock } from "../base/clock.ts";
import type { Config } from "../config/schema.ts";
import { RequestKeys } from "../ingress/request_keys.ts";
import { MessageSubmitter } from "../ingress/submitter.ts";
import type { EventSink } from "../observe/events.ts";
import type { AliasMap } from "../policy/aliases.ts";
import { UsageLimits } from "../policy/limits/usage_limits.ts";
import type { Intake } from "../queue/intake.ts";
import type { QueueStore } from "../queue/store.ts";
import { receptionPolicy, type ServerPolicy } from "../reception/policy.ts";
import type { ReturnAddressRules } from "../reception/rules.ts";
import { countingEvents } from "../reception/usage_events.ts";
import { aliasMap, relayRules, usageRules } from "./policy.ts";
import { StoreGuard } from "./store_guard.ts";

/** What mail that comes by HTTP goes into. */
export interface HttpInParts {
  readonly store: QueueStore;
  readonly intake: Intake;
  readonly clock: Clock;
  readonly events: EventSink;
  /** Addresses whose mail ends here. */
  readonly returnAddresses: ReturnAddressRules;
  /** The configuration in force. */
  readonly config: () => Config;
}

/** What is made of a configuration once. */
interface RulesInForce {
  readonly config: Config;
  readonly policy: ServerPolicy;
  readonly aliases: AliasMap | null;
}

/** Makes the way in for mail that comes by HTTP, with the rules and limits of a listener. */
export function createSubmitter(
  { store, intake, clock, events, config, returnAddresses }: HttpInParts,
): MessageSubmitter {
  const usage = new UsageLimits();
  const guard = new StoreGuard(intake, clock);
  let known: RulesInForce | null = null;
  const rules = (): RulesInForce => {
    const current = config();
    if (known?.config === current) return known;
    usage.rules = usageRules(current);
    const policy = receptionPolicy({
      ...{ clock, usage, store: guard, returnAddresses },
      relay: relayRules(current),
      keepsBcc: current.relay.keepBcc,
    });
    known = { config: current, policy, aliases: aliasMap(current) };
    return known;
  };
  return new MessageSubmitter({
    clock,
    policy: () => rules().policy,
    aliases: () => rules().aliases,
    sink: { beginBatch: (count) => guard.guard(intake.beginBatch(count)) },
    events: countingEvents(events, { usage, clock }),
    limits() {
      const { hostname, limits } = config();
      const { messageSizeBytes: messageBytes, receivedHops: hops, recipients, maxHoldMs } = limits;
      return { hostname, messageBytes, recipients, hops, maxHoldMs };
    },
    keys: new RequestKeys({
      shelf: store.shelf,
      isStored: async (id) => await store.get(id) !== null,
      now: () => clock.now(),
    }),
  });
}
