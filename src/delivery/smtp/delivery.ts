import type { Random } from "../../base/random.ts";
import { type Reply, reply } from "../../mail/reply.ts";
import type { MailData } from "../../smtp/client/mail_data.ts";
import type { DeliveryJob, DeliveryReport, MessageBody, Outcome } from "../transport.ts";
import { type AddressOrder, orderAddresses } from "./address_order.ts";
import { Attempt } from "./attempt.ts";
import { fit } from "./fit.ts";
import { byRank, type HostPlan, type HostTarget } from "./hosts.ts";
import { SessionOpener } from "./opener.ts";
import type { MailResolver, SmtpTransportOptions } from "./options.ts";
import { broken, GIVEN_UP, lookupFailed } from "./outcome.ts";
import { ConnectionPool, type Session } from "./pool.ts";
import { ABORTED, untilAborted } from "./until_aborted.ts";

const DEFAULT_MAX_ADDRESSES = 5;

/** What it means for mail that a host has no address. */
export type HostUnknown = (host: string) => Outcome;

/**
 * One attempt over hosts that speak SMTP or LMTP: an open session to the best host where there
 * is one, else new ones, host by host and address by address, until every recipient has an
 * outcome or the hosts are used up.
 */
export class SmtpDelivery implements AsyncDisposable {
  readonly #random: Random;
  readonly #resolver: MailResolver;
  readonly #addressOrder: AddressOrder;
  readonly #maxAddresses: number;
  readonly #hostUnknown: HostUnknown;
  readonly #opener: SessionOpener;
  readonly #pool: ConnectionPool;

  constructor(options: SmtpTransportOptions, { hostUnknown }: { hostUnknown: HostUnknown }) {
    const { clock, random, resolver, onError } = options.services;
    this.#random = random;
    this.#resolver = resolver;
    this.#addressOrder = options.addressOrder ?? "ipv4_first";
    this.#maxAddresses = options.maxAddresses ?? DEFAULT_MAX_ADDRESSES;
    this.#hostUnknown = hostUnknown;
    this.#opener = new SessionOpener(options);
    this.#pool = new ConnectionPool({ clock, limits: options.reuse ?? {}, onError });
  }

  /** Makes the attempt with the hosts of `plan`. */
  async deliver(
    job: DeliveryJob,
    { plan, signal }: { plan: HostPlan | Promise<HostPlan>; signal: AbortSignal },
  ): Promise<DeliveryReport> {
    const found = plan instanceof Promise ? await untilAborted(plan, signal) : plan;
    if (found === ABORTED || found.kind === "none") {
      const outcome = found === ABORTED ? GIVEN_UP : found.outcome;
      return { outcomes: job.recipients.map(() => outcome), remote: null, tls: null };
    }
    const hosts = byRank(found.hosts, this.#random);
    const attempt = new Attempt(job, signal);
    const kept = this.#takeKept(hosts);
    if (kept !== null) await this.#use(kept, attempt);
    if (!attempt.isOver) await this.#askHosts(hosts, attempt);
    return attempt.report(broken(reply(451, "4.4.1", "No host could be tried")));
  }

  /** An open session with one of the best hosts. */
  #takeKept(hosts: readonly HostTarget[]): Session | null {
    for (const host of hosts) {
      if (host.rank !== hosts[0]?.rank) return null;
      const session = this.#pool.take(host.key);
      if (session !== null) return session;
    }
    return null;
  }

  async #askHosts(hosts: readonly HostTarget[], attempt: Attempt): Promise<void> {
    let triesLeft = this.#maxAddresses;
    for (const [index, host] of hosts.entries()) {
      const kept = index === 0 ? null : this.#pool.take(host.key);
      if (kept !== null) await this.#use(kept, attempt);
      if (attempt.isOver) return;
      for (const address of await this.#addressesOf(host, attempt)) {
        if (await this.#askAddress(host, { address, attempt })) triesLeft--;
        if (attempt.isOver || triesLeft <= 0) return;
      }
    }
  }

  /** The addresses of a host in the order in which to try them; empty when there are none. */
  async #addressesOf(
    { host, addresses }: HostTarget,
    attempt: Attempt,
  ): Promise<readonly string[]> {
    if (addresses !== null) return addresses;
    const answer = await untilAborted(this.#resolver.addresses(host), attempt.signal);
    if (answer === ABORTED) return [];
    if (answer.kind === "found") {
      const usable = orderAddresses(answer.records, this.#addressOrder);
      if (usable.length === 0) attempt.failHost(broken(noUsableAddress(host)));
      return usable;
    }
    if (answer.kind === "temporary") attempt.failHost(lookupFailed(host, answer.reason));
    else attempt.failHost(this.#hostUnknown(host));
    return [];
  }

  /** Asks a host at one address; false when a failure not long ago spoke against it. */
  async #askAddress(
    target: HostTarget,
    { address, attempt }: { address: string; attempt: Attempt },
  ): Promise<boolean> {
    const { signal } = attempt;
    const result = await this.#opener.open(target, { address, signal });
    if (result.kind === "session") {
      await this.#use(result.session, attempt);
      return true;
    }
    attempt.failHost(result.outcome);
    const hop = { host: target.host, address, port: target.port };
    if (result.progress === "connected") attempt.reached({ hop, tls: result.tls, proof: null });
    return result.progress !== "not_tried";
  }

  /** Runs the transaction and gives the session back. */
  async #use(session: Session, attempt: Attempt): Promise<void> {
    const { client, hop, proof } = session;
    const { signal, job: { message, body } } = attempt;
    try {
      if (signal.aborted) return;
      const recipients = attempt.openRecipients();
      const fitted = fit(message, { recipients, capabilities: client.capabilities });
      if (fitted.kind === "unsuitable") {
        attempt.reached({ hop, tls: client.tls, proof });
        return attempt.settle(fitted);
      }
      const result = await client.transact({
        reversePath: message.reversePath,
        mailParameters: fitted.mailParameters,
        recipients: fitted.recipients,
        data: dataOf(body, message.facts.dotLines),
      }, { signal });
      attempt.record(result, { session, notifies: fitted.notifies });
    } finally {
      this.#pool.release(session);
    }
  }

  /** Closes the sessions that wait, politely; those in use close when they are given back. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool[Symbol.asyncDispose]();
  }
}

function noUsableAddress(host: string): Reply {
  return reply(451, "4.4.4", `${host} has no address of the kind in use`);
}

function dataOf(body: MessageBody, dotLines: number): MailData {
  return {
    sizeBytes: body.sizeBytes,
    dotLines,
    bytes: body.bytes,
    stream: () => body.stream(),
  };
}
