import { parseIp } from "../base/ip.ts";
import type { Random } from "../base/random.ts";
import { reply } from "../mail/reply.ts";
import { byRank, type HostTarget } from "./smtp/hosts.ts";
import { SmtpDelivery } from "./smtp/delivery.ts";
import {
  DEFAULT_MAX_CONCURRENCY,
  DEFAULT_MAX_RECIPIENTS,
  type SmtpTransportOptions,
} from "./smtp/options.ts";
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
  /** At least one. */
  readonly hosts: readonly Smarthost[];
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
  readonly #hosts: readonly HostTarget[];
  readonly #delivery: SmtpDelivery;
  readonly #random: Random;

  constructor(options: SmarthostOptions) {
    const { hosts, selection = "in_order" } = options;
    if (hosts.length === 0) throw new RangeError("Cannot use no smarthost: name at least one");
    this.name = options.name;
    this.maxConcurrency = options.maxConcurrency ?? DEFAULT_MAX_CONCURRENCY;
    this.maxRecipients = options.maxRecipients ?? DEFAULT_MAX_RECIPIENTS;
    this.sharedDestination = hosts.map(({ host, port }) => `${host}:${port}`).join(",");
    this.#hosts = hosts.map(({ host, port }, index) => ({
      host,
      port,
      rank: selection === "shuffled" ? 0 : index,
      addresses: parseIp(host) === null ? null : [host],
    }));
    this.#random = options.services.random;
    this.#delivery = new SmtpDelivery(options, { hostUnknown });
  }

  destinationOf(): string {
    return this.sharedDestination;
  }

  deliver(job: DeliveryJob, { signal }: DeliverOptions): Promise<DeliveryReport> {
    return this.#delivery.deliver(job, { hosts: byRank(this.#hosts, this.#random), signal });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#delivery[Symbol.asyncDispose]();
  }
}

/** That a configured name has no address is no fault of the mail. */
function hostUnknown(host: string): Outcome {
  return broken(reply(451, "4.4.4", `Smarthost ${host} has no address`));
}
