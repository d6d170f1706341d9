import type { Clock } from "../../base/clock.ts";
import type { MxTransportConfig, TransportConfig } from "../../config/sections/transports.ts";
import type { TlsConfig } from "../../config/sections/transport_tls.ts";
import { leavesOpen } from "../../delivery/tls/planner.ts";
import type { StsFinding } from "../../delivery/tls/sts.ts";
import { ruleFor, type TlsTarget } from "../../delivery/tls/rules.ts";
import { submissionName } from "../../delivery/smtp/srv_hosts.ts";
import type { DnsResult, MxRecord, Resolver } from "../../net/resolver.ts";
import { mxTlsRules, tlsRules } from "../tls_rules.ts";
import { hostTls, stsOf } from "./host_tls.ts";

/** A host that mail would go to. */
export interface ExplainedHost {
  readonly host: string;
  /** 0 for a Unix socket. */
  readonly port: number;
  /** Of its MX record; null where it has none. */
  readonly preference: number | null;
  /** What the DNS answers for it. */
  readonly addresses: readonly string[];
  /** Why it cannot be used; empty when it can. */
  readonly problem: string;
  /** TLSA records that DNSSEC vouches for (RFC 7672); null where nobody asks. */
  readonly tlsa: number | null;
  /** What connections to it must come to; empty where that is not known. */
  readonly tls: string;
}

type Lookups = Pick<Resolver, "mx" | "addresses" | "tlsa" | "srv" | "txt" | "cname">;

/** What finding hosts takes. */
export interface HostServices {
  readonly resolver: Lookups;
  readonly clock: Clock;
  /** The name of this relay. */
  readonly hostname: string;
  /** Finds MTA-STS policies; those that are published now where not given. */
  readonly findSts?: (domain: string) => Promise<StsFinding>;
}

/** The hosts that a transport would try for a domain, in order, as the DNS has them now. */
export async function hostsOf(
  config: TransportConfig,
  { domain, ...services }: HostServices & { readonly domain: string },
): Promise<readonly ExplainedHost[]> {
  const { resolver } = services;
  switch (config.type) {
    case "mx":
      return await exchangers(domain, { config, services });
    case "smarthost": {
      const found = config.srv === null
        ? await Promise.all(config.hosts.map((one) => withAddresses(one, resolver)))
        : await servers(config.srv, { implicit: config.tls.implicit, resolver });
      return await Promise.all(found.map((host) => withGivenTls(host, { config, resolver })));
    }
    case "lmtp":
      return await Promise.all(
        config.servers.map(async (server) =>
          "path" in server
            ? { ...bare({ host: server.path, port: 0 }), addresses: [server.path] }
            : await withGivenTls(await withAddresses(server, resolver), { config, resolver })
        ),
      );
    default:
      return []; // an API is reached by its address, which the provider's client looks up
  }
}

async function withGivenTls(
  found: ExplainedHost,
  { config: { tls }, resolver }: {
    config: { readonly tls: TlsConfig };
    resolver: Lookups;
  },
): Promise<ExplainedHost> {
  const { host, port, problem } = found;
  if (problem !== "") return found;
  const rules = tlsRules(tls);
  const target = { host, port, domain: null, authentic: true };
  return { ...found, ...await hostTls(target, { rule: rules.rule, rules, resolver, sts: null }) };
}

async function exchangers(
  domain: string,
  { config, services }: { config: MxTransportConfig; services: HostServices },
): Promise<readonly ExplainedHost[]> {
  const { port } = config;
  const { resolver } = services;
  if (domain.startsWith("[")) {
    const address = domain.slice(1, -1).replace(/^IPv6:/i, "");
    return [{ ...bare({ host: domain, port }), addresses: [address] }];
  }
  const answer = await resolver.mx(domain);
  if (answer.kind !== "none" && answer.kind !== "found") {
    return [{ ...bare({ host: domain, port }), problem: troubleOf(answer) }];
  }
  // RFC 5321 5.1: without MX records the domain is its own only exchanger.
  const records = answer.kind === "found" ? answer.records : null;
  const loops = loopLimit(records ?? [], { config, services });
  const tls = await tlsFor(domain, { config, services });
  const isAuthentic = answer.authentic;
  return await Promise.all(
    (records ?? [{ exchange: domain, preference: null }]).map(async ({ exchange, preference }) => {
      const host = exchange.replace(/\.$/, "").toLowerCase();
      if (host === "") { // RFC 7505
        const problem = "the domain accepts no mail (null MX)";
        return { ...bare({ host: ".", port }), preference, problem };
      }
      const found = { ...await withAddresses({ host, port }, resolver), preference };
      if (preference !== null && preference >= loops) {
        return {
          ...found,
          problem: "the host is this relay or has no better preference: mail would loop",
        };
      }
      const tlsa = config.dane && isAuthentic ? await countTlsa({ host, port }, resolver) : null;
      if (found.problem !== "") return { ...found, tlsa };
      return { ...found, tlsa, ...await tls({ host, port, domain, authentic: isAuthentic }) };
    }),
  );
}

/** The preference from which on exchangers are left out, because this relay is among them. */
function loopLimit(
  records: readonly MxRecord[],
  { config: { helo }, services: { hostname } }: {
    config: MxTransportConfig;
    services: HostServices;
  },
): number {
  const names = [hostname, helo ?? hostname].map((name) => name.toLowerCase());
  const own = records.filter(({ exchange }) =>
    names.includes(exchange.replace(/\.$/, "").toLowerCase())
  );
  return Math.min(...own.map(({ preference }) => preference));
}

/** What is asked of the exchangers of a domain. */
async function tlsFor(
  domain: string,
  { config, services: { resolver, clock, findSts } }: {
    config: MxTransportConfig;
    services: HostServices;
  },
): Promise<(target: TlsTarget) => ReturnType<typeof hostTls>> {
  const rules = mxTlsRules(config);
  const rule = ruleFor(rules, domain);
  const sts = rules.mtaSts === true && leavesOpen(rule.level)
    ? await (findSts?.(domain) ?? stsOf(domain, { resolver, clock }))
    : null;
  return (target) => hostTls(target, { rule, rules, resolver, sts });
}

async function servers(
  domain: string,
  { implicit, resolver }: { implicit: boolean; resolver: Lookups },
): Promise<readonly ExplainedHost[]> {
  const name = submissionName(domain, { implicit });
  const answer = await resolver.srv(name);
  if (answer.kind !== "found") {
    return [{ ...bare({ host: name, port: 0 }), problem: troubleOf(answer) }];
  }
  return await Promise.all(
    answer.records.map(({ target, port }) => {
      const host = target.replace(/\.$/, "");
      if (host !== "") return withAddresses({ host, port }, resolver);
      const problem = "the domain offers no submission"; // RFC 2782
      return { ...bare({ host: name, port: 0 }), problem };
    }),
  );
}

async function withAddresses(
  one: { readonly host: string; readonly port: number },
  resolver: Lookups,
): Promise<ExplainedHost> {
  const answer = await resolver.addresses(one.host);
  return answer.kind === "found"
    ? { ...bare(one), addresses: answer.records.map(({ address }) => address) }
    : { ...bare(one), problem: troubleOf(answer) };
}

async function countTlsa(
  { host, port }: { host: string; port: number },
  resolver: Lookups,
): Promise<number> {
  const answer = await resolver.tlsa(`_${port}._tcp.${host}`);
  return answer.kind === "found" && answer.authentic ? answer.records.length : 0;
}

function bare({ host, port }: { host: string; port: number }): ExplainedHost {
  return { host, port, preference: null, addresses: [], problem: "", tlsa: null, tls: "" };
}

function troubleOf(answer: Exclude<DnsResult<unknown>, { kind: "found" }>): string {
  switch (answer.kind) {
    case "temporary":
      return `the DNS does not answer: ${answer.reason.replaceAll("_", " ")}`;
    case "nonexistent":
      return "the name does not exist";
    case "none":
      return "it has no such record";
  }
}
