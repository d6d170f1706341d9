import type { Random } from "../base/random.ts";
import type { MessageRecord } from "../queue/store.ts";
import type { Way } from "./job.ts";
import { chooseRoute, compileRules, type RouteRule, routesByDomainOnly } from "./route.ts";
import type { RouteFacts } from "./route_match.ts";
import type { Router } from "./dispatcher.ts";
import type { Transport } from "./transport.ts";
import {
  compileTreatment,
  type Fate,
  type Judge,
  keepsMail,
  stricter,
  type Treatment,
} from "./treatment.ts";
import { weighted } from "./weights.ts";

/** A rule with the transports it names. */
interface BoundRule {
  readonly rule: RouteRule;
  readonly transports: readonly Transport[];
  /** Null when all its mail is delivered. */
  readonly judge: Judge | null;
}

const DELIVER: Fate = { kind: "deliver" };
/** What stands for the rule where none fits and an operator chose the transport. */
const NO_RULE: Pick<RouteRule, "name" | "rawOnly"> = { name: "" };

/**
 * Binds the rules to the transports they name.
 *
 * @param treatment what becomes of all mail, before each route's own treatment.
 * @throws RangeError when a rule names a transport that is not in `transports`.
 */
export function createRouter(
  rules: readonly RouteRule[],
  { transports, random, treatment }: {
    transports: ReadonlyMap<string, Transport>;
    random: Random;
    treatment?: Treatment;
  },
): Router {
  const compiled = compileRules(rules);
  // What an operator released leaves by the first rule that has a transport.
  const withTransports = compiled.filter(({ rule }) => rule.transports.length > 0);
  const byName = new Map(rules.map((rule) => [rule.name, rule]));
  const ofRelay = compileTreatment(treatment);
  const bound = new Map(rules.map((rule): [RouteRule, BoundRule] => [rule, {
    rule,
    transports: rule.transports.map((name) => transportOf(rule, { name, transports })),
    judge: stricter(ofRelay, compileTreatment(rule.treatment)),
  }]));
  const isKept = [treatment, ...rules.map((rule) => rule.treatment)].some(keepsMail);
  return {
    byDomainOnly: routesByDomainOnly(rules) && ofRelay === null,
    ways: [...[...bound.values()].map((rule) => rule.transports), ...isKept ? [[]] : []],
    transports: new Set(transports.values()),
    open(message) {
      const facts = messageFacts(message);
      const named = message.route === undefined ? null : byName.get(message.route) ?? null;
      const orders = new Map<BoundRule, readonly Transport[]>();
      const orderOf = (rule: BoundRule): readonly Transport[] => {
        const { weights } = rule.rule;
        if (weights === undefined) return rule.transports;
        const known = orders.get(rule);
        if (known !== undefined) return known;
        const order = weighted(rule.transports, { weights, random });
        orders.set(rule, order);
        return order;
      };
      return ({ forwardPath, domain, released, rerouted, transport }): Way | null => {
        const isReleased = released === true;
        const rules = isReleased ? withTransports : compiled;
        const chosen = named ?? chooseRoute(rules, { ...facts, forwardPath, domain });
        const rule = chosen === null ? undefined : bound.get(chosen);
        // A transport that the configuration has no longer is chosen no longer.
        const own = rerouted === true ? transports.get(transport ?? "") : undefined;
        const order = own === undefined ? rule && orderOf(rule) : [own];
        if (order === undefined) return null;
        const { name, rawOnly = false } = rule?.rule ?? NO_RULE;
        const fate = (rule === undefined ? ofRelay : rule.judge)?.(forwardPath) ?? DELIVER;
        if (!isReleased && (fate.kind === "hold" || fate.kind === "capture")) {
          return { kind: fate.kind, name };
        }
        const redirect = fate.kind === "redirect" ? fate.to : null;
        return { kind: "open", name, transports: order, rawOnly, redirect };
      };
    },
  };
}

function transportOf(
  { name: rule }: RouteRule,
  { name, transports }: { name: string; transports: ReadonlyMap<string, Transport> },
): Transport {
  const transport = transports.get(name);
  if (transport !== undefined) return transport;
  throw new RangeError(`Cannot route by ${rule}: no transport is named ${name}`);
}

/** What the rules may look at in a message, whoever its recipient is. */
function messageFacts(
  { reversePath, origin: { listener, user }, headers, facts, extras }: MessageRecord,
): Omit<RouteFacts, "forwardPath" | "domain"> {
  return {
    reversePath,
    listener,
    ...(user === undefined ? {} : { user }),
    ...(headers === undefined ? {} : { headers }),
    sizeBytes: facts.sizeBytes,
    priority: extras?.priority ?? 0,
  };
}
