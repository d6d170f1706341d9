import { parseIp } from "../base/ip.ts";
import { fieldText, findField, headerSection } from "../mail/headers.ts";
import { reply } from "../mail/reply.ts";
import { orderAddresses } from "./smtp/address_order.ts";
import { SmtpDelivery } from "./smtp/delivery.ts";
import { headerOctets } from "./smtp/header_octets.ts";
import type { HostPlan } from "./smtp/hosts.ts";
import { type ExchangerPlan, exchangersOf, LOOPS_BACK, type MxRules } from "./smtp/mx_hosts.ts";
import {
  DEFAULT_MAX_CONCURRENCY,
  DEFAULT_MAX_RECIPIENTS,
  type SmtpTransportOptions,
} from "./smtp/options.ts";
import { asksForTls, planHosts } from "./smtp/plan_hosts.ts";
import { broken, lookupFailed } from "./smtp/outcome.ts";
import { leavesOpen } from "./tls/planner.ts";
import { OPPORTUNISTIC, ruleFor, type TlsRule, type TlsRules } from "./tls/rules.ts";
import type { StsFinding } from "./tls/sts.ts";
import type {
  DeliverOptions,
  DeliveryJob,
  DeliveryReport,
  Outcome,
  Transport,
} from "./transport.ts";

/** How mail goes to the exchangers of its recipients' domains. */
export interface MxOptions extends SmtpTransportOptions {
  /** Names under which this relay may stand in MX records and answer, `heloName` apart. */
  readonly ownNames?: readonly string[];
  /** Port of the exchangers; default 25. */
  readonly port?: number;
  /** The most exchangers of one domain considered; default 10. */
  readonly maxHosts?: number;
}

const SMTP_PORT = 25;
const DEFAULT_MAX_HOSTS = 10;

/** Sends mail to the mail exchangers of each recipient domain (RFC 5321 5.1). */
export class MxTransport implements Transport {
  readonly kind = "mx";
  readonly name: string;
  readonly maxConcurrency: number;
  readonly maxRecipients: number;
  readonly #options: MxOptions;
  readonly #rules: MxRules;
  readonly #port: number;
  readonly #delivery: SmtpDelivery;

  constructor(options: MxOptions) {
    this.name = options.name;
    this.maxConcurrency = options.maxConcurrency ?? DEFAULT_MAX_CONCURRENCY;
    this.maxRecipients = options.maxRecipients ?? DEFAULT_MAX_RECIPIENTS;
    this.#options = options;
    const ownNames = [options.heloName, ...options.ownNames ?? []];
    this.#rules = {
      ownNames: new Set(ownNames.map((name) => name.toLowerCase())),
      maxHosts: options.maxHosts ?? DEFAULT_MAX_HOSTS,
    };
    this.#port = options.port ?? SMTP_PORT;
    this.#delivery = new SmtpDelivery({ ...options, ownNames }, { hostUnknown: unroutable });
  }

  destinationOf(domain: string): string {
    return domain;
  }

  deliver(job: DeliveryJob, options: DeliverOptions): Promise<DeliveryReport> {
    return this.#delivery.deliver(job, { ...options, plan: this.#plan(job) });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#delivery[Symbol.asyncDispose]();
  }

  async #plan(job: DeliveryJob): Promise<HostPlan> {
    const { domain } = job;
    const found = await this.#exchangers(domain);
    if (found.kind === "none") return found;
    const { tls: rules = OPPORTUNISTIC } = this.#options;
    const rule = ruleFor(rules, domain);
    const asksDomain = leavesOpen(rule.level);
    const sts = rules.mtaSts === true && asksDomain ? await this.#findSts(domain) : null;
    const plan = await this.#planHosts(found, { job, rule, rules, sts });
    if (!asksDomain || !isHeldTo(plan) || !(await doesWithoutTls(job))) return plan;
    return await this.#planHosts(found, { job, rule, rules: { ...rules, dane: false }, sts: null });
  }

  #planHosts(
    { exchangers, authentic }: Extract<ExchangerPlan, { kind: "exchangers" }>,
    { job, ...planning }: {
      job: DeliveryJob;
      rule: TlsRule;
      rules: TlsRules;
      sts: StsFinding | null;
    },
  ): HostPlan | Promise<HostPlan> {
    const { resolver, onTlsOutcome } = this.#options.services;
    const port = this.#port;
    return planHosts(exchangers.map((exchanger) => ({ ...exchanger, port })), {
      ...planning,
      resolver,
      domain: job.domain,
      authentic,
      requireTls: asksForTls(job),
      onTlsOutcome,
    });
  }

  async #findSts(domain: string): Promise<StsFinding | null> {
    const { sts } = this.#options.services;
    return sts === undefined || domain.startsWith("[") ? null : await sts.find(domain);
  }

  async #exchangers(domain: string): Promise<ExchangerPlan> {
    if (domain.startsWith("[")) return literalHost(domain);
    const answer = await this.#options.services.resolver.mx(domain);
    switch (answer.kind) {
      case "found":
        return exchangersOf(answer, this.#rules);
      case "none":
        return await this.#implicitExchanger(domain, answer);
      case "nonexistent":
        return { kind: "none", outcome: noSuchDomain(domain) };
      case "temporary":
        return { kind: "none", outcome: lookupFailed(domain, answer.reason) };
    }
  }

  /** RFC 5321 5.1: without MX records the domain is its own only exchanger. */
  async #implicitExchanger(
    domain: string,
    { authentic }: { authentic: boolean },
  ): Promise<ExchangerPlan> {
    if (this.#rules.ownNames.has(domain)) return { kind: "none", outcome: LOOPS_BACK };
    if (this.#options.proxy?.resolves === true) {
      const exchangers = [{ host: domain, rank: 0, addresses: [domain] }];
      return { kind: "exchangers", exchangers, authentic };
    }
    const answer = await this.#options.services.resolver.addresses(domain);
    if (answer.kind === "temporary") {
      return { kind: "none", outcome: lookupFailed(domain, answer.reason) };
    }
    if (answer.kind !== "found") return { kind: "none", outcome: noSuchDomain(domain) };
    const addresses = orderAddresses(answer.records, this.#options);
    if (addresses.length === 0) {
      const text = `${domain} has no address of the kind in use`;
      return { kind: "none", outcome: broken(reply(451, "4.4.4", text)) };
    }
    return { kind: "exchangers", exchangers: [{ host: domain, rank: 0, addresses }], authentic };
  }
}

/** RFC 5321 4.1.3: a literal names the host itself. */
function literalHost(domain: string): ExchangerPlan {
  const address = domain.slice(1, -1).replace(/^IPv6:/i, "");
  if (!domain.endsWith("]") || parseIp(address) === null) {
    const text = `Cannot use the address literal ${domain}`;
    return { kind: "none", outcome: { kind: "permanent", reply: reply(550, "5.1.2", text) } };
  }
  const host = { host: address, rank: 0, addresses: [address] };
  return { kind: "exchangers", exchangers: [host], authentic: false };
}

/** Whether what the domain publishes stands between a message and its hosts. */
function isHeldTo(plan: HostPlan): boolean {
  if (plan.kind === "none") return true;
  return plan.hosts.some(({ policy }) => policy.level === "dane" || policy.level === "verified");
}

/** RFC 8689 section 4.2.2: a message may say that it is not worth failing for its security. */
async function doesWithoutTls({ message: { extras }, body }: DeliveryJob): Promise<boolean> {
  if (extras?.requireTls === true) return false;
  const octets = await headerOctets(body);
  const field = findField(headerSection(octets), "tls-required");
  return field !== null && fieldText(octets, field).toLowerCase() === "no";
}

function noSuchDomain(domain: string): Outcome {
  return { kind: "permanent", reply: reply(550, "5.1.2", `Domain ${domain} does not exist`) };
}

/** Exchangers are named and none of them has an address (RFC 3463 3.5). */
function unroutable(host: string): Outcome {
  const text = `Mail exchanger ${host} has no address`;
  return { kind: "permanent", reply: reply(550, "5.4.4", text) };
}
