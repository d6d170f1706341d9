import type { Clock } from "../base/clock.ts";
import type { DeliveryJob, DeliveryReport, Outcome, Transport } from "../delivery/transport.ts";
import { parseMailbox } from "../mail/address.ts";
import { type Reply, reply } from "../mail/reply.ts";
import { cutText, withoutControls } from "../mail/safe_text.ts";
import type { FeedbackKind } from "../observe/events.ts";
import { mailboxKey } from "../queue/mailbox.ts";
import { type MessageDetail, type QueueStore, StoreError } from "../queue/store.ts";
import { recipientOf, type Trace, traceOf } from "./attribution.ts";
import type { FeedbackDesk } from "./desk.ts";
import { handOn } from "./hand_on.ts";
import { mayHandOn } from "./hand_on_limit.ts";
import { type Finding, type Meaning, meaningOf } from "./meaning.ts";
import { readReport, type ReportParts } from "./report_reader.ts";
import type { ReturnAddresses } from "./return_address.ts";

/** What a reload may change in how bounces are taken. */
export interface BounceRules {
  /** Null where no return addresses are made. */
  readonly addresses: ReturnAddresses | null;
  /** Other mailboxes that reports come to. */
  readonly mailboxes: readonly string[];
  /** Whether the senders of the messages get what came back. */
  readonly forwards: boolean;
  /** Who gets what cannot be understood; null for none. */
  readonly operator: string | null;
  readonly hostname: string;
  /** How long handing something on is tried. */
  readonly lifetimeMs: number;
  readonly spoolThresholdBytes: number;
}

/** What taking bounces needs. */
export interface BounceTransportOptions {
  readonly desk: FeedbackDesk;
  readonly store: QueueStore;
  readonly clock: Clock;
  readonly newId: () => string;
  /** Mail was put into the queue. */
  readonly wake: () => void;
  readonly rules: () => BounceRules;
  /** Finds out whether a report is proven to come from those who take mail for a domain. */
  readonly proofOf: (report: DeliveryJob) => (domain: string) => Promise<boolean>;
}

/** A finding about a recipient of ours. */
interface Attributed extends Finding {
  readonly recipient: string;
  readonly messageId: string;
  /** Whether a return address of ours is the proof. */
  readonly isSigned: boolean;
}

const NO_SUCH_ADDRESS = reply(550, "5.1.1", "No such return address, or it has expired");
const NOT_UNDERSTOOD = reply(554, "5.6.0", "Cannot parse this report");
const CANNOT_STORE = reply(451, "4.3.0", "Cannot store this report, try again later");
const STORE_RETRY_MS = 60_000;

/**
 * The end of the way for mail that comes back. It is a transport, so that a bounce is on disk
 * before it is answered, is shown and retried like all mail, and is done when everything that
 * follows from it is on disk.
 */
export class BounceTransport implements Transport {
  readonly name = "bounces";
  readonly kind = "bounces";
  readonly sharedDestination = "bounces";
  readonly maxConcurrency = 4;
  readonly maxRecipients = 1;
  readonly #options: BounceTransportOptions;

  constructor(options: BounceTransportOptions) {
    this.#options = options;
  }

  destinationOf(): string {
    return this.sharedDestination;
  }

  /** Whether mail for a mailbox ends here. */
  owns(forwardPath: string, domain: string): boolean {
    return this.#options.rules().addresses?.owns(domain) === true || this.#isMailbox(forwardPath);
  }

  /** Of a mailbox that ends here, whether there is such an address. */
  accepts(forwardPath: string, nowMs: number): boolean {
    return this.#traceIn(forwardPath, nowMs) !== "unknown";
  }

  #isMailbox(forwardPath: string): boolean {
    return isAmong(this.#options.rules().mailboxes, forwardPath);
  }

  async deliver(job: DeliveryJob): Promise<DeliveryReport> {
    const outcome = await this.#outcomeOf(job);
    return { outcomes: job.recipients.map(() => outcome), remote: null, tls: null };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }

  async #outcomeOf(job: DeliveryJob): Promise<Outcome> {
    try {
      return await this.#take(job);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      const retryAfterMs = STORE_RETRY_MS;
      return { kind: "temporary", reply: CANNOT_STORE, counts: false, retryAfterMs };
    }
  }

  async #take(job: DeliveryJob): Promise<Outcome> {
    const named = this.#traceIn(job.recipients[0]?.forwardPath ?? "", job.message.receivedAtMs);
    if (named === "unknown") return { kind: "permanent", reply: NO_SUCH_ADDRESS };
    const parts = await readReport(job.body.stream({ reuse: true }));
    const meaning = meaningOf(parts);
    const trace = named ?? this.#traceOf(parts);
    const detail = trace === null ? null : await this.#options.store.get(idOf(trace));
    const { addresses } = this.#options.rules();
    const found = attribute(meaning, { trace, detail, addresses });
    await this.#tell(job, { found, source: meaning.kind === "complaint" ? "complaint" : "bounce" });
    return await this.#passOn(job, { meaning, found, trace, detail });
  }

  async #tell(
    job: DeliveryJob,
    { found, source }: { found: readonly Attributed[]; source: string },
  ): Promise<void> {
    const { desk } = this.#options;
    const { id } = job.message;
    const isProvider = this.#options.proofOf(job);
    for (const [place, { kind, recipient, messageId, reason, isSigned }] of found.entries()) {
      const facts = { recipient, reason, source };
      if (job.message.origin.protocol !== "LOCAL") {
        const isProven = isSigned || await isProvider(domainOf(recipient));
        const told = { ...facts, kind, messageId, key: `${id} ${place}` };
        await desk.take(isProven ? told : { ...told, unproven: true });
        // Of what this relay writes itself, the delivery has told already.
      } else if (kind === "bounced") await desk.suppress(facts);
    }
  }

  /** The recipient that the address names; null for a plain mailbox. */
  #traceIn(forwardPath: string, nowMs: number): Trace | null | "unknown" {
    if (this.#isMailbox(forwardPath)) return null;
    const parsed = parseMailbox(forwardPath);
    if (parsed.kind === "error") return "unknown";
    const { localPart } = parsed.mailbox;
    if (localPart.toLowerCase() === "postmaster") return null; // RFC 5321 4.5.1
    const ref = this.#options.rules().addresses?.read(localPart, nowMs) ?? null;
    return ref === null ? "unknown" : { kind: "signed", ref };
  }

  #traceOf(parts: ReportParts): Trace | null {
    const { addresses, hostname } = this.#options.rules();
    return traceOf(parts, { addresses, hostname, nowMs: this.#options.clock.now() });
  }

  /** What came back goes to the sender of the message; what is not understood, to the operator. */
  async #passOn(
    job: DeliveryJob,
    { meaning, found, trace, detail }: {
      meaning: Meaning;
      found: readonly Attributed[];
      trace: Trace | null;
      detail: MessageDetail | null;
    },
  ): Promise<Outcome> {
    const { forwards, operator } = this.#options.rules();
    const sender = senderOf(trace, detail);
    const isUnderstood = found.length > 0 || (sender !== null && meaning.kind === "reply") ||
      (sender !== null && meaning.kind === "bounce");
    const taken = found.map(({ kind, recipient }) => `${kind} <${recipient}>`).join(", ");
    if (isUnderstood && meaning.kind === "complaint") return delivered(taken);
    const to = forwards && sender !== null && sender !== "" ? sender : null;
    if (to !== null && !this.#isOurs(to)) {
      if (await this.#mayHandOn(trace, detail)) return await this.#handOn(job, { to, taken });
      return delivered(`${taken === "" ? meaning.kind : taken}; not forwarded, limit reached`);
    }
    if (isUnderstood) return delivered(taken === "" ? meaning.kind : taken);
    if (operator === null || this.#isOurs(operator)) {
      return { kind: "permanent", reply: NOT_UNDERSTOOD };
    }
    return await this.#handOn(job, { to: operator, taken: "not understood" });
  }

  async #mayHandOn(trace: Trace | null, detail: MessageDetail | null): Promise<boolean> {
    if (trace === null || detail === null) return false;
    const isOne = trace.kind === "signed";
    return await mayHandOn(this.#options.store.shelf, {
      key: isOne ? `${trace.ref.messageId} ${trace.ref.index}` : trace.messageId,
      recipients: isOne ? 1 : detail.recipients.length,
      nowMs: this.#options.clock.now(),
    });
  }

  /** What would come back to us again is not sent. */
  #isOurs(mailbox: string): boolean {
    const parsed = parseMailbox(mailbox);
    return parsed.kind === "ok" && this.owns(mailbox, parsed.mailbox.domain);
  }

  async #handOn(
    { message, body }: DeliveryJob,
    { to, taken }: { to: string; taken: string },
  ): Promise<Outcome> {
    const { store, newId, clock, wake, rules } = this.#options;
    const { lifetimeMs, spoolThresholdBytes } = rules();
    const services = { store, newId, nowMs: clock.now(), lifetimeMs, spoolThresholdBytes };
    const id = await handOn({ message, octets: body.stream(), to }, services);
    if (id === null) return { kind: "permanent", reply: NOT_UNDERSTOOD };
    wake();
    return delivered(`${taken === "" ? "" : `${taken}; `}forwarded to <${to}> as ${id}`);
  }
}

function domainOf(mailbox: string): string {
  const parsed = parseMailbox(mailbox);
  return parsed.kind === "ok" ? parsed.mailbox.domain : "";
}

function idOf(trace: Trace): string {
  return trace.kind === "signed" ? trace.ref.messageId : trace.messageId;
}

/** Of several things said of one recipient the heaviest counts. */
const WEIGHTS: Readonly<Record<FeedbackKind, number>> = {
  delivered: 0,
  deferred: 1,
  soft_bounced: 2,
  bounced: 3,
  unsubscribed: 4,
  complained: 5,
};

/** A trace that anybody may have written is not answered, unless it led to a message. */
function senderOf(trace: Trace | null, detail: MessageDetail | null): string | null {
  return trace === null || detail === null ? null : detail.message.reversePath;
}

/** Findings about recipients that this relay sent to; the others may be anybody's invention. */
function attribute(
  meaning: Meaning,
  { trace, detail, addresses }: {
    trace: Trace | null;
    detail: MessageDetail | null;
    addresses: ReturnAddresses | null;
  },
): Attributed[] {
  if (trace === null || !("findings" in meaning)) return [];
  const messageId = idOf(trace);
  // When the message is forgotten, its return address still tells whether a name is the right one.
  const namedBy = (names: readonly string[]): string | undefined =>
    trace.kind === "signed"
      ? names.find((name) => addresses?.isFor(trace.ref, name) === true)
      : undefined;
  const index = trace.kind === "signed" ? trace.ref.index : null;
  const found = new Map<string, Attributed>();
  for (const finding of meaning.findings) {
    const { names } = finding;
    const known = detail === null ? null : recipientOf(detail, { index, names });
    const recipient = known?.forwardPath ?? (detail === null ? namedBy(names) : undefined);
    const isAlone = detail?.recipients.length === 1;
    const kind = trace.kind === "signed"
      ? finding.kind
      : believedOf(finding, { isAlone, isSigned: addresses !== null });
    if (recipient === undefined || kind === null) continue;
    const key = mailboxKey(recipient);
    const other = found.get(key);
    if (other === undefined || WEIGHTS[kind] > WEIGHTS[other.kind]) {
      const isSigned = trace.kind === "signed";
      found.set(key, { ...finding, kind, recipient, messageId, isSigned });
    }
  }
  return [...found.values()];
}

/**
 * What is believed of a report that only says that a message passed here, as anyone who got it can:
 * never that mail arrived, and of several recipients none may take the others off the mail. A
 * bounce for good counts as a soft one of them then, or not at all where real ones come to return
 * addresses.
 */
function believedOf(
  { kind }: Finding,
  { isAlone, isSigned }: { isAlone: boolean; isSigned: boolean },
): FeedbackKind | null {
  if (kind === "delivered" || kind === "deferred") return null;
  if (isAlone) return kind;
  if (isSigned) return null;
  return kind === "bounced" ? "soft_bounced" : kind;
}

function isAmong(mailboxes: readonly string[], mailbox: string): boolean {
  const key = mailboxKey(mailbox);
  return mailboxes.some((one) => mailboxKey(one) === key);
}

function delivered(text: string): Outcome {
  return { kind: "delivered", reply: taken(text) };
}

function taken(text: string): Reply {
  return reply(250, "2.0.0", cutText(withoutControls(`Accepted: ${text}`), 300));
}
