import { parseIp } from "../base/ip.ts";
import { reply } from "../mail/reply.ts";
import { SmtpDelivery } from "./smtp/delivery.ts";
import type { HostPlan } from "./smtp/hosts.ts";
import {
  DEFAULT_MAX_CONCURRENCY,
  DEFAULT_MAX_RECIPIENTS,
  type SmtpTransportOptions,
} from "./smtp/options.ts";
import { broken } from "./smtp/outcome.ts";
import { asksForTls, type Candidate, planHosts } from "./smtp/plan_hosts.ts";
import { OPPORTUNISTIC } from "./tls/rules.ts";
import type {
  DeliverOptions,
  DeliveryJob,
  DeliveryReport,
  Outcome,
  Transport,
} from "./transport.ts";

/** A server of mailboxes. */
export type LmtpServer =
  /** Host name, or IP address without brackets. */
  | { readonly host: string; readonly port: number }
  /** Path of a Unix socket. */
  | { readonly path: string };

/** How mail goes to servers of mailboxes. */
export interface LmtpOptions extends SmtpTransportOptions {
  /** At least one; the later ones stand in for the first. */
  readonly servers: readonly LmtpServer[];
}

/** Hands mail to a server of mailboxes, which answers for each recipient (RFC 2033). */
export class LmtpTransport implements Transport {
  readonly kind = "lmtp";
  readonly name: string;
  readonly maxConcurrency: number;
  readonly maxRecipients: number;
  readonly sharedDestination: string;
  /** Null where others are asked for it at every attempt. */
  readonly #fixedPlan: HostPlan | null;
  readonly #options: LmtpOptions;
  readonly #delivery: SmtpDelivery;

  constructor(options: LmtpOptions) {
    const { servers } = options;
    if (servers.length === 0) throw new RangeError("Cannot use no LMTP server: name at least one");
    this.name = options.name;
    this.maxConcurrency = options.maxConcurrency ?? DEFAULT_MAX_CONCURRENCY;
    this.maxRecipients = options.maxRecipients ?? DEFAULT_MAX_RECIPIENTS;
    this.sharedDestination = servers.map(nameOf).join(",");
    this.#options = options;
    const plan = this.#plan({ requireTls: false });
    this.#fixedPlan = plan instanceof Promise ? null : plan;
    this.#delivery = new SmtpDelivery({ ...options, protocol: "lmtp" }, { hostUnknown });
  }

  destinationOf(): string {
    return this.sharedDestination;
  }

  async deliver(job: DeliveryJob, options: DeliverOptions): Promise<DeliveryReport> {
    const requireTls = asksForTls(job);
    const plan = (requireTls ? null : this.#fixedPlan) ?? this.#plan({ requireTls });
    const report = await this.#delivery.deliver(job, { ...options, plan });
    // RFC 3461 section 5.2.3: what the server of the mailboxes took is delivered, not relayed.
    return report.handover === "dsn" ? report : { ...report, handover: "final" };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#delivery[Symbol.asyncDispose]();
  }

  #plan({ requireTls }: { requireTls: boolean }): HostPlan | Promise<HostPlan> {
    const { servers, tls: rules = OPPORTUNISTIC, services: { resolver } } = this.#options;
    return planHosts(servers.map(candidateOf), {
      rule: rules.rule,
      rules,
      resolver,
      domain: null,
      authentic: true,
      requireTls,
    });
  }
}

function candidateOf(server: LmtpServer, rank: number): Candidate {
  if ("path" in server) return { host: server.path, port: 0, rank, addresses: [server.path] };
  const { host, port } = server;
  return { host, port, rank, addresses: parseIp(host) === null ? null : [host] };
}

function nameOf(server: LmtpServer): string {
  return "path" in server ? server.path : `${server.host}:${server.port}`;
}

/** That a configured name has no address is no fault of the mail. */
function hostUnknown(host: string): Outcome {
  return broken(reply(451, "4.4.4", `LMTP server ${host} has no address`));
}
