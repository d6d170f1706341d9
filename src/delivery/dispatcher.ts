import type { Clock } from "../base/clock.ts";
import { formatReply, type Reply, reply } from "../mail/reply.ts";
import type { MessageRecord, RecipientRecord } from "../queue/store.ts";
import type { DestinationTable } from "./destination_table.ts";
import { sooner } from "./failover.ts";
import {
  groupIntoJobs,
  type Job,
  nextStep,
  type RestingWay,
  transportOf,
  type Way,
} from "./job.ts";
import { describePause, type OperatorPauses, PutOffDomains, putOffUntilMs } from "./pauses.ts";
import type { Settler } from "./settler.ts";
import type { Outcome, Setback, Transport } from "./transport.ts";
import type { WindowEntry } from "./window.ts";

/** Finds the way out for recipients; asked again at every attempt. */
export interface Router {
  /**
   * Looks at a message. The function returned finds the way of each of its recipients, null when
   * no rule fits; recipients that share a weighted rule share its choice of transports.
   */
  open(message: MessageRecord): (recipient: RecipientRecord) => Way | null;
  /** Whether the answer depends on nothing but the recipient's domain. */
  readonly byDomainOnly: boolean;
  /** The transports of each rule. */
  readonly ways: readonly (readonly Transport[])[];
}

export interface DispatcherOptions {
  readonly clock: Clock;
  readonly router: Router;
  readonly table: DestinationTable<Job>;
  readonly settler: Settler;
  readonly pauses: OperatorPauses;
}

/** RFC 3463 3.8: a decision of this relay, which says nothing of the recipient. */
const RETURNED = reply(554, "5.7.0", "Returned to its sender by an operator of this relay");

/**
 * Finds where recipients in the window go: into the line of a destination, back into the store
 * because nothing can be done for them now, or into an operator's hands.
 */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #putOffDomains = new PutOffDomains();
  #router: Router;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#router = options.router;
  }

  get router(): Router {
    return this.#router;
  }

  /** Uses other routes for what comes from now on. */
  replaceRouter(router: Router): void {
    this.#router = router;
  }

  /** Domains whose mail waits because of a transport; asked once, `all` when they are many. */
  takePutOffDomains(transport: string): ReadonlySet<string> | "all" {
    return this.#putOffDomains.take(transport);
  }

  /** Finds the way of recipients that nothing was decided about yet. */
  enter(entry: WindowEntry, recipients: readonly RecipientRecord[]): void {
    const { pauses } = this.#options;
    const wanted = this.#giveBack(entry, recipients);
    const free = pauses.domains.isEmpty ? wanted : this.#putOffPaused(entry, wanted);
    const { jobs, resting, unroutable } = groupIntoJobs(
      entry,
      free,
      this.#router.open(entry.message),
    );
    for (const job of jobs) this.dispatch(job);
    for (const group of resting.values()) this.#rest(entry, group);
    if (unroutable.length === 0) return;
    const why = reply(450, "4.4.4", "No route fits this recipient");
    this.#settle(entry, unroutable, { kind: "temporary", reply: why });
  }

  /** Lines a job up at its destination, or passes it on when that is down. */
  dispatch(job: Job): void {
    const { clock, table } = this.#options;
    const nowMs = clock.now();
    const destination = table.of(transportOf(job), job.domain);
    const state = destination.state(nowMs);
    if (state.kind !== "down") {
      destination.waiting.push(job);
      table.markReady(destination, nowMs);
      return;
    }
    const setback = sooner(job.setback, {
      kind: "temporary",
      reply: reply(451, "4.4.1", state.reason),
      counts: false,
      retryAfterMs: state.untilMs - nowMs,
    });
    const next = nextStep(job, { recipients: job.recipients, setback });
    if (next.length > 0) { for (const part of next) this.dispatch(part); }
    else this.#putOff(job, setback);
  }

  /** Keeps mail here, as its way says. */
  #rest(
    entry: WindowEntry,
    { way, recipients }: { way: RestingWay; recipients: readonly RecipientRecord[] },
  ): void {
    const why = restReply(way);
    const kind = way.kind === "hold" ? "held" : "captured";
    this.#options.settler.hold(entry, { recipients, why, kind });
  }

  /** Ends what an operator gave up, and returns the others. */
  #giveBack(
    entry: WindowEntry,
    recipients: readonly RecipientRecord[],
  ): readonly RecipientRecord[] {
    if (!recipients.some(({ returned }) => returned)) return recipients;
    const given = recipients.filter(({ returned }) => returned);
    this.#settle(entry, given, { kind: "permanent", reply: RETURNED });
    return recipients.filter(({ returned }) => returned !== true);
  }

  /** Puts off recipients whose domain an operator paused, and returns the others. */
  #putOffPaused(
    entry: WindowEntry,
    recipients: readonly RecipientRecord[],
  ): readonly RecipientRecord[] {
    const { clock, pauses } = this.#options;
    const nowMs = clock.now();
    return recipients.filter((recipient) => {
      const pause = pauses.domains.get(recipient.domain, nowMs);
      if (pause === null) return true;
      this.#settle(entry, [recipient], {
        kind: "temporary",
        reply: reply(451, "4.3.2", describePause(pause)),
        counts: false,
        retryAfterMs: putOffUntilMs(pause, nowMs) - nowMs,
      });
      return false;
    });
  }

  /** Puts recipients back until one of their ways may be open again; no attempt was made. */
  #putOff(job: Job, setback: Setback): void {
    const { clock, table } = this.#options;
    const nowMs = clock.now();
    for (const { name } of job.transports) this.#putOffDomains.note(name, job.domain);
    const untilMs = nowMs + (setback.retryAfterMs ?? 0);
    if (this.#router.byDomainOnly && table.isClosed(job, nowMs)) {
      table.pause(job.domain, { untilMs, reason: formatReply(setback.reply) });
    }
    this.#settle(job.entry, job.recipients, setback);
  }

  /** Settles recipients for whom no attempt was made. */
  #settle(entry: WindowEntry, recipients: readonly RecipientRecord[], outcome: Outcome): void {
    const { clock, settler, table } = this.#options;
    settler.settle(entry, {
      recipients,
      outcomes: recipients.map(() => outcome),
      transport: "",
      destination: "",
      report: null,
      timeline: [],
      keepsPlace: table.gateUntilMs > clock.now(),
    });
  }
}

function restReply({ kind, name }: RestingWay): Reply {
  // RFC 3463 3.8: a matter of policy here, not of the recipient.
  return kind === "hold"
    ? reply(450, "4.7.0", `Held by route ${name}`)
    : reply(250, "2.7.0", `Captured by route ${name}, sent nowhere`);
}
