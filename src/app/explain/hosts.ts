import type { TransportConfig } from "../../config/sections/transports.ts";
import { submissionName } from "../../delivery/smtp/srv_hosts.ts";
import type { DnsResult, Resolver } from "../../net/resolver.ts";

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
}

type Lookups = Pick<Resolver, "mx" | "addresses" | "tlsa" | "srv">;

/** The hosts that a transport would try for a domain, in order, as the DNS has them now. */
export async function hostsOf(
  config: TransportConfig,
  { domain, resolver }: { domain: string; resolver: Lookups },
): Promise<readonly ExplainedHost[]> {
  switch (config.type) {
    case "mx":
      return await exchangers(domain, { port: config.port, dane: config.dane, resolver });
    case "smarthost":
      return config.srv === null
        ? await Promise.all(config.hosts.map((one) => withAddresses(one, resolver)))
        : await servers(config.srv, { implicit: config.tls.implicit, resolver });
    case "lmtp":
      return await Promise.all(
        config.servers.map((server) =>
          "path" in server
            ? { ...bare({ host: server.path, port: 0 }), addresses: [server.path] }
            : withAddresses(server, resolver)
        ),
      );
    default:
      return []; // an API is reached by its address, which the provider's client looks up
  }
}

async function exchangers(
  domain: string,
  { port, dane, resolver }: { port: number; dane: boolean; resolver: Lookups },
): Promise<readonly ExplainedHost[]> {
  if (domain.startsWith("[")) {
    const address = domain.slice(1, -1).replace(/^IPv6:/i, "");
    return [{ ...bare({ host: domain, port }), addresses: [address] }];
  }
  const answer = await resolver.mx(domain);
  if (answer.kind === "none") return [await withAddresses({ host: domain, port }, resolver)];
  if (answer.kind !== "found") {
    return [{ ...bare({ host: domain, port }), problem: troubleOf(answer) }];
  }
  return await Promise.all(answer.records.map(async ({ exchange, preference }) => {
    const host = exchange.replace(/\.$/, "");
    if (host === "") { // RFC 7505
      return {
        ...bare({ host: ".", port }),
        preference,
        problem: "the domain takes no mail (null MX)",
      };
    }
    const found = await withAddresses({ host, port }, resolver);
    const tlsa = dane && answer.authentic ? await countTlsa({ host, port }, resolver) : null;
    return { ...found, preference, tlsa };
  }));
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
  return { host, port, preference: null, addresses: [], problem: "", tlsa: null };
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
