import type { Clock } from "../../base/clock.ts";
import type { Random } from "../../base/random.ts";
import { type Reply, reply } from "../../mail/reply.ts";
import type { DeliverOptions, DeliveryJob, DeliveryReport, Loss, Outcome } from "../transport.ts";
import { type AddressChoice, orderAddresses } from "./address_order.ts";
import { Attempt } from "./attempt.ts";
import { type Fit, fit, tooLargeFor, type Unfit } from "./fit.ts";
import { byRank, type HostPlan, type HostTarget } from "./hosts.ts";
import { SessionOpener } from "./opener.ts";
import type { MailResolver, Resigner, SmtpTransportOptions } from "./options.ts";
import { broken, formatHop, GIVEN_UP, lookupFailed } from "./outcome.ts";
import { bodyAsItIs, prepareBody, type PreparedBody } from "./prepare_body.ts";
import { ConnectionPool, type Session } from "./pool.ts";
import { RecipientLimits } from "./recipient_limits.ts";
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
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #converts: boolean;
  readonly #resign: Resigner | null;
  readonly #resolver: MailResolver;
  readonly #addressChoice: AddressChoice;
  /** Whether somebody else looks up the addresses of hosts. */
  readonly #proxyResolves: boolean;
  readonly #maxAddresses: number;
  readonly #hostUnknown: HostUnknown;
  readonly #opener: SessionOpener;
  readonly #pool: ConnectionPool;
  readonly #recipientLimits: RecipientLimits;

  constructor(options: SmtpTransportOptions, { hostUnknown }: { hostUnknown: HostUnknown }) {
    const { clock, random, resolver, onError } = options.services;
    this.#clock = clock;
    this.#converts = options.converts ?? true;
    this.#resign = options.services.resign ?? null;
    this.#random = random;
    this.#resolver = resolver;
    this.#addressChoice = options;
    this.#proxyResolves = options.proxy?.resolves ?? false;
    this.#maxAddresses = options.maxAddresses ?? DEFAULT_MAX_ADDRESSES;
    this.#hostUnknown = hostUnknown;
    this.#opener = new SessionOpener(options);
    this.#pool = new ConnectionPool({ clock, limits: options.reuse ?? {}, onError });
    this.#recipientLimits = new RecipientLimits(clock);
  }

  /** Makes the attempt with the hosts of `plan`. */
  async deliver(
    job: DeliveryJob,
    { plan, ...options }: DeliverOptions & { plan: HostPlan | Promise<HostPlan> },
  ): Promise<DeliveryReport> {
    const { signal } = options;
    const found = plan instanceof Promise ? await untilAborted(plan, signal) : plan;
    if (found === ABORTED || found.kind === "none") {
      const outcome = found === ABORTED ? GIVEN_UP : found.outcome;
      return { outcomes: job.recipients.map(() => outcome), remote: null, tls: null };
    }
    const hosts = byRank(found.hosts, this.#random);
    const attempt = new Attempt(job, options);
    try {
      await this.#ask(hosts, attempt);
    } catch (error) {
      if (!attempt.hasOutcomes) throw error;
      attempt.loseTooMany(INTERNAL_ERROR);
      return { ...attempt.report(INTERNAL_ERROR), fault: error }; // what was taken stays that
    }
    return attempt.report(broken(reply(451, "4.4.1", "No host could be tried")));
  }

  async #ask(hosts: readonly HostTarget[], attempt: Attempt): Promise<void> {
    const kept = this.#takeKept(hosts);
    if (kept !== null) await this.#useKept(kept, attempt);
    if (!attempt.isOver) await this.#askHosts(hosts, attempt);
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
      if (kept !== null) await this.#useKept(kept, attempt);
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
    if (this.#proxyResolves) return [host];
    const answer = await untilAborted(this.#resolver.addresses(host), attempt.signal);
    if (answer === ABORTED) return [];
    if (answer.kind === "found") {
      const usable = orderAddresses(answer.records, this.#addressChoice);
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
    const { signal, transcript } = attempt;
    for (;;) {
      const result = await this.#opener.open(target, { address, signal, transcript });
      if (result.kind === "failed") {
        attempt.failHost(result.outcome);
        const { hop, tls } = result;
        if (result.progress === "connected") attempt.reached({ hop, tls, proof: null });
        return result.progress !== "not_tried";
      }
      // A server that takes less in one session than there is gets another one.
      const goesOn = await this.#use(result.session, attempt);
      if (!goesOn || attempt.isOver) return true;
    }
  }

  #useKept(session: Session, attempt: Attempt): Promise<boolean> {
    const { hop, client } = session;
    attempt.transcript.note(
      `Kept connection to ${formatHop(hop)}, message ${client.transactions + 1} on it`,
    );
    return this.#use(session, attempt);
  }

  /**
   * Runs as many transactions as it takes, and gives the session back. Returns whether another
   * session with the same host would go on where this one ended.
   */
  async #use(session: Session, attempt: Attempt): Promise<boolean> {
    const { client } = session;
    client.recordTo(attempt.transcript);
    attempt.begin();
    try {
      if (attempt.signal.aborted) return false;
      for (;;) {
        if (!(await this.#transact(session, attempt))) return false;
        if (attempt.openRecipients().length === 0) return false;
        if (attempt.signal.aborted || !client.isUsable || this.#pool.isWornOut(session)) {
          return true;
        }
      }
    } finally {
      client.recordTo(null);
      this.#pool.release(session, { isKept: attempt.keepsConnection() });
    }
  }

  /**
   * Runs one transaction for as many of the open recipients as the server takes at once. Returns
   * whether it may be asked for others that are open.
   */
  async #transact(session: Session, attempt: Attempt): Promise<boolean> {
    const { client, peer, key } = session;
    const { signal, job: { message } } = attempt;
    const fitted = fit(message, {
      recipients: attempt.openRecipients(),
      peer,
      rcptMax: this.#recipientLimits.of(key),
      converts: this.#converts,
      nowMs: this.#clock.now(),
    });
    if (fitted.kind === "unsuitable") return this.#reject(session, { attempt, unfit: fitted });
    const { reversePath, recipients, misfits, notifies, mailParameters } = fitted;
    const ready = await this.#bodyFor(fitted, attempt);
    if (ready.kind === "unsuitable") {
      return this.#reject(session, { attempt, unfit: { ...ready, elsewhere: true } });
    }
    const { data, sizeBytes, losses } = ready;
    const tooLarge = tooLargeFor(peer.capabilities, sizeBytes);
    if (tooLarge !== null) return this.#reject(session, { attempt, unfit: tooLarge });
    if (misfits !== null) {
      attempt.setAside(misfits.recipients, { kind: "unsuitable", reply: misfits.reply });
    }
    const result = await client.transact({
      reversePath,
      mailParameters: peer.capabilities.size
        ? [`SIZE=${sizeBytes}`, ...mailParameters] // RFC 1870 section 5
        : mailParameters,
      recipients,
      data,
    }, { signal });
    this.#recipientLimits.learn(key, result.recipients);
    return attempt.record(result, { session, notifies, losses });
  }

  /** The message in the form that the server takes, without a promise where it is that already. */
  #bodyFor(
    { conversion, needsAsciiAddresses }: Extract<Fit, { kind: "fits" }>,
    { job, rawOnly }: Attempt,
  ): PreparedBody | Promise<PreparedBody> {
    if (conversion === null && !needsAsciiAddresses) {
      const { body, message: { facts: { dotLines } } } = job;
      const { sizeBytes } = body;
      return { kind: "ready", data: bodyAsItIs(body, dotLines), sizeBytes, losses: NO_LOSSES };
    }
    const resign = this.#resign;
    return prepareBody(job, { conversion, needsAsciiAddresses, rawOnly, resign });
  }

  #reject(
    { client, hop, proof }: Session,
    { attempt, unfit: { reply, elsewhere } }: { attempt: Attempt; unfit: Unfit },
  ): false {
    attempt.reached({ hop, tls: client.tls, proof });
    const outcome: Outcome = { kind: "unsuitable", reply };
    if (elsewhere) attempt.failHost(outcome);
    else attempt.settle(outcome);
    return false;
  }

  /** Closes the sessions that wait, politely; those in use close when they are given back. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool[Symbol.asyncDispose]();
  }
}

function noUsableAddress(host: string): Reply {
  return reply(451, "4.4.4", `${host} has no address of the kind in use`);
}

/** What recipients end with that nothing is known of when this program fails. */
const INTERNAL_ERROR: Outcome = {
  kind: "temporary",
  reply: reply(451, "4.3.0", "Internal error, see the relay's log"),
};

const NO_LOSSES: readonly Loss[] = [];
