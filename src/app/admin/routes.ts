import type { RouteAnswer, RouteQuestion, RoutesPort } from "../../admin/ports.ts";
import type { RouteConfig, RouteMatchConfig } from "../../config/sections/routes.ts";
import { explainRoute } from "../../delivery/explain.ts";
import type { Transport } from "../../delivery/transport.ts";
import { explainDelivery, type ExplainServices } from "../explain/explain.ts";
import { factsOf } from "../explain/facts.ts";
import type { RelayParts } from "./parts.ts";
import { wayState } from "./ways.ts";

/** Routes of the configuration, for the admin API. */
export function routesPort(parts: RelayParts): RoutesPort {
  return {
    list: () =>
      parts.config().routes.map(({ name, match, transports }) => ({
        ...{ name, transports },
        match: matchKeys(match),
      })),
    explain: (question) => explain(question, parts),
    trace: (question) =>
      explainDelivery(question, {
        ...{ config: parts.config(), resolver: parts.resolver, clock: parts.clock },
        stateOf: (name, domain) => stateOf(name, { domain, parts }),
        receptionRules: parts.receptionRules,
        findSuppressed: (mailbox) => findSuppressed(mailbox, parts),
      }),
  };
}

const KEYS = {
  recipientDomain: "recipient_domain",
  recipient: "recipient",
  sender: "sender",
  listener: "listener",
  user: "user",
  minSizeBytes: "min_size",
  maxSizeBytes: "max_size",
  minPriority: "min_priority",
  maxPriority: "max_priority",
} as const satisfies Partial<Record<keyof RouteMatchConfig, string>>;

/** A match with its keys as in the config file. */
function matchKeys(match: RouteConfig["match"]): Record<string, readonly string[]> {
  const keys: Record<string, readonly string[]> = {};
  for (const [key, name] of Object.entries(KEYS)) {
    const value = match[key as keyof typeof KEYS];
    if (value !== undefined) keys[name] = typeof value === "number" ? [String(value)] : value;
  }
  for (const { name, patterns } of match.header ?? []) keys[`header.${name}`] = patterns;
  return keys;
}

function explain(question: RouteQuestion, parts: RelayParts): RouteAnswer {
  const config = parts.config();
  const facts = factsOf(question, config);
  const steps = explainRoute(config.routes, facts);
  const found = steps.find(({ fits }) => fits)?.rule ?? null;
  const byName = parts.transports();
  return {
    route: found?.name ?? null,
    transports: (found?.transports ?? []).flatMap((name) => {
      const transport = byName.get(name);
      return transport === undefined ? [] : [wayOf(transport, { domain: facts.domain, parts })];
    }),
    steps: steps.map(({ rule, fits, reason }) => ({ route: rule.name, fits, reason })),
  };
}

async function findSuppressed(
  mailbox: string,
  { suppressions }: RelayParts,
): Promise<{ reason: string; source: string } | null> {
  const found = await suppressions.find(mailbox);
  return found === null ? null : { reason: found.reason, source: found.source };
}

function stateOf(
  name: string,
  { domain, parts }: { domain: string; parts: RelayParts },
): ReturnType<ExplainServices["stateOf"]> {
  const transport = parts.transports().get(name);
  if (transport === undefined) return { destination: domain, state: "unknown", reason: "" };
  const { destination, state, reason } = wayOf(transport, { domain, parts });
  const gate = parts.scheduler.destinationOf(transport, domain)?.gate;
  const learned = gate?.view(parts.clock.now()).learned;
  return { destination, state, reason, ...(learned ? { learned } : {}) };
}

function wayOf(
  transport: Transport,
  { domain, parts: { scheduler, pauses: { pauses }, clock } }: {
    domain: string;
    parts: RelayParts;
  },
): RouteAnswer["transports"][number] {
  const nowMs = clock.now();
  const circuit = scheduler.destinationOf(transport, domain)?.state(nowMs) ??
    scheduler.transportState(transport);
  const pause = pauses.transports.get(transport.name, nowMs) ?? pauses.domains.get(domain, nowMs);
  return {
    name: transport.name,
    kind: transport.kind,
    destination: transport.destinationOf(domain),
    state: wayState(circuit, pause).state,
    reason: pause?.reason ?? (circuit.kind === "up" ? "" : circuit.reason),
  };
}
