import { parseIp } from "../base/ip.ts";
import { reply } from "../mail/reply.ts";
import { OPPORTUNISTIC, type TlsRule } from "./tls/rules.ts";
import type { HostPlan } from "./smtp/hosts.ts";
import { SmtpDelivery } from "./smtp/delivery.ts";
import {
  DEFAULT_MAX_CONCURRENCY,
  DEFAULT_MAX_RECIPIENTS,
  type SmtpTransportOptions,
} from "./smtp/options.ts";
import { asksForTls, type Candidate, planHosts } from "./smtp/plan_hosts.ts";
import { submissionServers } from "./smtp/srv_hosts.ts";
import { broken } from "./smtp/outcome.ts";
import type {
  DeliverOptions,
  DeliveryJob,
  DeliveryReport,
  Outcome,
  Transport,
} from "./transport.ts";

/** One server that takes mail for every destination. */
export interface Smarthost {
  /** Host name, or IP address without brackets. Its MX records are not asked for. */
  readonly host: string;
  readonly port: number;
}

/** How mail goes to smarthosts. */
export interface SmarthostOptions extends SmtpTransportOptions {
  readonly hosts: readonly Smarthost[];
  /** The domain whose SRV records name the servers (RFC 6186), where `hosts` is empty. */
  readonly srv?: string;
  /** `in_order`: the later ones stand in for the first; `shuffled`: they share the work. */
  readonly selection?: "in_order" | "shuffled";
}

/** Sends all mail to one server, or to the first of several that works. */
export class SmarthostTransport implements Transport {
  readonly kind = "smarthost";
  readonly name: string;
  readonly maxConcurrency: number;
  readonly maxRecipients: number;
  readonly sharedDestination: string;
  /** Null where others are asked for it at every attempt. */
  readonly #fixedPlan: HostPlan | null;
  readonly #options: SmarthostOptions;
  readonly #delivery: SmtpDelivery;

  constructor(options: SmarthostOptions) {
    const { hosts, srv } = options;
    if (hosts.length === 0 && srv === undefined) {
      throw new RangeError("Cannot use no smarthost: name at least one");
    }
    this.name = options.name;
    this.maxConcurrency = options.maxConcurrency ?? DEFAULT_MAX_CONCURRENCY;
    this.maxRecipients = options.maxRecipients ?? DEFAULT_MAX_RECIPIENTS;
    this.sharedDestination = srv ?? hosts.map(({ host, port }) => `${host}:${port}`).join(",");
    this.#options = options;
    const plan = this.#plan({ requireTls: false });
    this.#fixedPlan = plan instanceof Promise ? null : plan;
    this.#delivery = new SmtpDelivery(options, { hostUnknown });
  }

  destinationOf(): string {
    return this.sharedDestination;
  }

  deliver(job: DeliveryJob, options: DeliverOptions): Promise<DeliveryReport> {
    const requireTls = asksForTls(job);
    const plan = requireTls ? null : this.#fixedPlan;
    return this.#delivery.deliver(job, { ...options, plan: plan ?? this.#plan({ requireTls }) });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#delivery[Symbol.asyncDispose]();
  }

  #plan({ requireTls }: { requireTls: boolean }): HostPlan | Promise<HostPlan> {
    const { hosts, srv, selection, tls: rules = OPPORTUNISTIC, services } = this.#options;
    if (srv !== undefined) return this.#planFromSrv(srv, { requireTls });
    const candidates = hosts.map(({ host, port }, index) => ({
      host,
      port,
      rank: selection === "shuffled" ? 0 : index,
      addresses: parseIp(host) === null ? null : [host],
    }));
    const { resolver } = services;
    return planHosts(candidates, {
      rule: rules.rule,
      rules,
      resolver,
      domain: null,
      authentic: true,
      requireTls,
    });
  }

  async #planFromSrv(
    domain: string,
    { requireTls }: { requireTls: boolean },
  ): Promise<HostPlan> {
    const { tls: rules = OPPORTUNISTIC, services: { resolver, random } } = this.#options;
    const implicit = rules.settings?.implicit === true;
    const found = await submissionServers(domain, { implicit, resolver, random });
    if (found.kind === "none") return found;
    const { servers, authentic } = found;
    return await planHosts(servers, {
      rule: srvRule(rules.rule, { domain, servers, authentic }),
      rules,
      resolver,
      domain,
      authentic,
      requireTls,
    });
  }
}

/**
 * RFC 6186 section 4: anyone who forges SRV records has certificates for names of their own, so a
 * certificate must be for the domain or a server below it, unless DNSSEC vouches for the records.
 */
function srvRule(
  rule: TlsRule,
  { domain, servers, authentic }: {
    domain: string;
    servers: readonly Candidate[];
    authentic: boolean;
  },
): TlsRule {
  if (rule.level !== "verified" || rule.names !== undefined || authentic) return rule;
  const own = servers.map(({ host }) => host).filter((host) => host.endsWith(`.${domain}`));
  return { ...rule, names: [domain, ...own] };
}

/** That a configured name has no address is no fault of the mail. */
function hostUnknown(host: string): Outcome {
  return broken(reply(451, "4.4.4", `Smarthost ${host} has no address`));
}
