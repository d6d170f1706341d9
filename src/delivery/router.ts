import type { MessageRecord, RecipientRecord } from "../queue/store.ts";
import { chooseRoute, type RouteRule, routesByDomainOnly } from "./route.ts";
import type { Router } from "./scheduler.ts";
import type { Transport } from "./transport.ts";

/**
 * Binds the rules to the transports they name.
 *
 * @throws RangeError when a rule names a transport that is not in `transports`.
 */
export function createRouter(
  rules: readonly RouteRule[],
  transports: ReadonlyMap<string, Transport>,
): Router {
  const bound = new Map(rules.map((rule) => {
    const ways = rule.transports.map((name) => {
      const transport = transports.get(name);
      if (transport !== undefined) return transport;
      throw new RangeError(`Cannot route by ${rule.name}: no transport is named ${name}`);
    });
    return [rule, { name: rule.name, transports: ways, rawOnly: rule.rawOnly ?? false }];
  }));
  return {
    byDomainOnly: routesByDomainOnly(rules),
    ways: [...bound.values()].map(({ transports }) => transports),
    route(message: MessageRecord, { forwardPath, domain }: RecipientRecord) {
      const { reversePath, origin: { listener, user } } = message;
      const facts = { forwardPath, domain, reversePath, listener };
      const rule = chooseRoute(rules, user === undefined ? facts : { ...facts, user });
      return rule === null ? null : bound.get(rule) ?? null;
    },
  };
}
