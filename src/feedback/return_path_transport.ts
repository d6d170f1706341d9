import type {
  DeliverOptions,
  DeliveryJob,
  DeliveryReport,
  Transport,
} from "../delivery/transport.ts";
import { parseMailbox } from "../mail/address.ts";
import type { MessageRecord } from "../queue/store.ts";
import type { ReturnAddresses } from "./return_address.ts";

/** Whose mail leaves from return addresses of its own. */
export interface ReturnPathRules {
  readonly addresses: ReturnAddresses;
  /** Whether mail from a mailbox is sent so. */
  readonly fits: (reversePath: string) => boolean;
}

/**
 * A transport whose mail leaves from addresses that name its message and recipient. Each recipient
 * has an attempt of its own then; mail that the rules do not fit leaves as it always did.
 */
export class ReturnPathTransport implements Transport {
  readonly name: string;
  readonly kind: string;
  readonly sharedDestination?: string;
  readonly maxConcurrency: number;
  readonly maxRecipients: number;
  readonly #inner: Transport;
  readonly #rules: ReturnPathRules;

  constructor(inner: Transport, rules: ReturnPathRules) {
    const { name, kind, sharedDestination, maxConcurrency, maxRecipients } = inner;
    this.#inner = inner;
    this.#rules = rules;
    this.name = name;
    this.kind = kind;
    this.maxConcurrency = maxConcurrency;
    this.maxRecipients = maxRecipients;
    if (sharedDestination !== undefined) this.sharedDestination = sharedDestination;
  }

  destinationOf(domain: string): string {
    return this.#inner.destinationOf(domain);
  }

  /** RFC 5321 3.3: a transaction has one reverse-path, so one that names its recipient has one. */
  maxRecipientsOf(message: MessageRecord): number {
    return this.#applies(message) ? 1 : this.maxRecipients;
  }

  deliver(job: DeliveryJob, options: DeliverOptions): Promise<DeliveryReport> {
    const { message, recipients: [recipient, ...others] } = job;
    const isAlone = recipient !== undefined && others.length === 0 && job.redirected !== true;
    if (!isAlone || !this.#applies(message)) return this.#inner.deliver(job, options);
    const parsed = parseMailbox(message.reversePath);
    const senderDomain = parsed.kind === "ok" ? parsed.mailbox.domain : "";
    const ref = { messageId: message.id, index: recipient.index };
    const route = { recipient: recipient.forwardPath, senderDomain };
    const reversePath = this.#rules.addresses.make(ref, route);
    if (reversePath === null) return this.#inner.deliver(job, options);
    return this.#inner.deliver({ ...job, message: { ...message, reversePath } }, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#inner[Symbol.asyncDispose]();
  }

  /** Never for the null reverse-path (RFC 5321 4.5.5), nor for what this relay wrote itself. */
  #applies({ reversePath, origin }: MessageRecord): boolean {
    return reversePath !== "" && origin.protocol !== "LOCAL" && this.#rules.fits(reversePath);
  }
}
