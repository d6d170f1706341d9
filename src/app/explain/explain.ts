import type { RouteQuestion, RouteTrace, WayState } from "../../admin/ports.ts";
import type { Clock } from "../../base/clock.ts";
import type { Config } from "../../config/schema.ts";
import type { TransportConfig } from "../../config/sections/transports.ts";
import { explainRoute } from "../../delivery/explain.ts";
import type { LearnedPace } from "../../delivery/shaping/pace.ts";
import { Shaper } from "../../delivery/shaping/shaper.ts";
import { limitWords } from "../../delivery/shaping/words.ts";
import { formatProxy } from "../../delivery/smtp/dialer.ts";
import { ruleFor } from "../../delivery/tls/rules.ts";
import type { Resolver } from "../../net/resolver.ts";
import { formatPace } from "../../observe/quantities.ts";
import { parseMailbox } from "../../mail/address.ts";
import { domainsIn } from "../../signing/author.ts";
import { keysForAuthors, readKeys } from "../../signing/keys.ts";
import { explainReception } from "../../reception/explain.ts";
import { OPEN_RULES, type ReceptionRules } from "../../reception/rules.ts";
import { aliasMap, relayRules } from "../policy.ts";
import { mxTlsRules, tlsRules } from "../tls_rules.ts";
import { factsOf, fateOf } from "./facts.ts";
import { hostsOf } from "./hosts.ts";
import { bounceOf, returnPathOf } from "./returns.ts";

/** What explaining needs to know. */
export interface ExplainServices {
  readonly config: Config;
  readonly resolver: Resolver;
  readonly clock: Clock;
  /** How a transport stands for a domain; `unknown` where no relay runs. */
  readonly stateOf: (transport: string, domain: string) => {
    readonly destination: string;
    readonly state: WayState | "unknown";
    readonly reason: string;
    /** The pace that the destination taught; absent where there is none. */
    readonly learned?: LearnedPace;
  };
  /** What a listener judges mail by; absent where no relay runs. */
  readonly receptionRules?: (listener: string) => ReceptionRules | null;
  /** Why a recipient gets no mail; absent where no relay runs. */
  readonly findSuppressed?: (
    mailbox: string,
  ) => Promise<{ readonly reason: string; readonly source: string } | null>;
}

/** Where a message would go, and how, without sending it. */
export async function explainDelivery(
  question: RouteQuestion,
  services: ExplainServices,
): Promise<RouteTrace> {
  const { config } = services;
  const facts = factsOf(question, config);
  const steps = explainRoute(config.routes, facts);
  const rule = steps.find(({ fits }) => fits)?.rule ?? null;
  const fate = rule === null ? null : fateOf(facts.forwardPath, { rule, config });
  const redirect = fate?.kind === "redirect" ? fate.to : null;
  const domain = redirect?.domain ?? facts.domain;
  const names = fate?.kind === "hold" || fate?.kind === "capture" ? [] : rule?.transports ?? [];
  const transports = await Promise.all(
    names.map((name, position) =>
      wayOf(name, {
        ...{ domain, services, question, route: rule?.name ?? "", isRedirected: redirect !== null },
        weight: rule?.weights?.[position] ?? null,
      })
    ),
  );
  return {
    checks: await checksOf(question, { services, listener: facts.listener }),
    route: rule?.name ?? null,
    mode: fate?.kind ?? null,
    redirect: redirect?.mailbox ?? null,
    rawOnly: rule?.rawOnly ?? false,
    transports,
    dkim: keysOf(question, config),
    aliasOf: membersOf(question.to, config),
    suppressed: await services.findSuppressed?.(question.to) ?? null,
    bounce: bounceOf(question, config),
    steps: steps.map(({ rule: { name }, fits, reason }) => ({ route: name, fits, reason })),
  };
}

/** Without a relay only the rules of the config file are asked. */
async function checksOf(
  { to, from, user, client = "127.0.0.1" }: RouteQuestion,
  { services, listener }: { services: ExplainServices; listener: string },
): Promise<RouteTrace["checks"]> {
  const { config, clock, receptionRules } = services;
  const recipient = parseMailbox(to);
  const sender = parseMailbox(from);
  if (recipient.kind === "error") return [];
  const rules = receptionRules?.(listener) ?? { ...OPEN_RULES, clock, relay: relayRules(config) };
  return await explainReception({
    facts: {
      ...{ sessionId: "", listener, clientAddress: client, clientPort: 0 },
      ...{ helo: "", esmtp: true, tls: null, user: user ?? null },
    },
    mail: { sender: sender.kind === "ok" ? sender.mailbox : null },
    rcpt: {
      ...{ recipient: recipient.mailbox, routed: false, reversePath: from },
      alias: (aliasMap(config)?.get(recipient.mailbox) ?? null) !== null,
    },
  }, rules);
}

/** Whom an alias stands for in the end; nobody where it is none. */
function membersOf(recipient: string, config: Config): string[] {
  const aliases = aliasMap(config);
  const found = aliases?.find(recipient);
  if (aliases === null || found?.kind !== "found") return [];
  return aliases.expand(found.alias).map(({ text }) => text);
}

function formatOf(transport: TransportConfig): string | null {
  if (!("provider" in transport)) return null;
  const { format } = transport.provider;
  return typeof format === "string" ? format : null;
}

async function wayOf(
  name: string,
  { question, domain, route, weight, isRedirected, services }: {
    question: RouteQuestion;
    isRedirected: boolean;
    domain: string;
    route: string;
    weight: number | null;
    services: ExplainServices;
  },
): Promise<RouteTrace["transports"][number]> {
  const { config, resolver, clock, stateOf } = services;
  const transport = config.transports[name];
  if (transport === undefined) throw new RangeError(`Cannot explain ${name}: no such transport`);
  const [hosts, limits] = await Promise.all([
    hostsOf(transport, { domain, resolver, clock, hostname: config.hostname }),
    limitsOf({ name, kind: transport.type }, { domain, route, services }),
  ]);
  const { learned, ...state } = stateOf(name, domain);
  return {
    ...{ name, kind: transport.type, format: formatOf(transport), weight, hosts, ...state },
    limits: learned === undefined ? limits : [...limits, taughtBy(learned)],
    tls: tlsOf(transport, domain),
    returnPath: isRedirected
      ? question.from // its new recipient is none that a return address could name
      : returnPathOf(question, { transport: name, config }),
    proxy: transport.proxy === null ? null : formatProxy(transport.proxy),
    sourceAddresses: transport.sourceAddresses ?? [],
  };
}

async function limitsOf(
  transport: { readonly name: string; readonly kind: string },
  { domain, route, services: { config, resolver, clock } }: {
    domain: string;
    route: string;
    services: ExplainServices;
  },
): Promise<readonly { rule: string; limit: string }[]> {
  const shaper = new Shaper(config.shaping, { resolver, clock });
  const mail = { transport, route, domain };
  const lane = shaper.laneOf(mail);
  if (lane instanceof Promise) await lane;
  return (shaper.rulesFor(mail) ?? []).flatMap(({ name, shared, limits }) =>
    limitWords(limits, clock.now()).map((limit) => ({
      rule: name,
      limit: shared ? `${limit}, shared` : limit,
    }))
  );
}

function taughtBy({ perMinute, reason }: LearnedPace): { rule: string; limit: string } {
  return { rule: "learned", limit: `${formatPace(perMinute)}, after: ${reason}` };
}

function tlsOf(transport: TransportConfig, domain: string): string {
  switch (transport.type) {
    case "mx": {
      const { level } = ruleFor(mxTlsRules(transport), domain);
      const more = [transport.dane ? "DANE" : "", transport.mtaSts ? "MTA-STS" : ""];
      const held = more.filter((word) => word !== "").join(" and ");
      return held === "" ? level : `${level}; more where ${held} ask for it`;
    }
    case "smarthost":
    case "lmtp": {
      const { rule: { level }, settings } = tlsRules(transport.tls);
      return settings?.implicit ? `${level}, from the first octet` : level;
    }
    default:
      return "verified (HTTPS)";
  }
}

/** The keys that would sign it; without From, as if its author were the sender. */
function keysOf({ from, headers }: RouteQuestion, { dkim }: Config): RouteTrace["dkim"] {
  const authors = {
    from: domainsIn(headers?.["from"]?.[0] ?? from),
    sender: domainsIn(headers?.["sender"]?.[0] ?? ""),
  };
  return keysForAuthors(readKeys(dkim), authors).map((
    { domain, selector, key: { algorithm } },
  ) => ({
    ...{ domain, selector, algorithm },
  }));
}
