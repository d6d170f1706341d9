import type { Clock } from "../base/clock.ts";
import type { TaskGroup } from "../base/task_group.ts";
import type { EnhancedCode } from "../mail/enhanced_code.ts";
import { formatReply, type Reply, reply } from "../mail/reply.ts";
import type { MessageRecord, RecipientRecord } from "../queue/store.ts";
import type { Destination } from "./destination.ts";
import type { DestinationTable } from "./destination_table.ts";
import { sooner } from "./failover.ts";
import {
  groupIntoJobs,
  type Job,
  nextStep,
  type RestingWay,
  splitJob,
  transportOf,
  type Way,
} from "./job.ts";
import type { Lines } from "./lines.ts";
import { type Holding, LookUps, type Suppressions } from "./look_ups.ts";
import { Misfits, type Unfit } from "./misfits.ts";
import { describePause, type OperatorPauses, PutOffDomains, putOffUntilMs } from "./pauses.ts";
import type { Settler } from "./settler.ts";
import type { Shaper } from "./shaping/shaper.ts";
import type { Outcome, Setback, Transport } from "./transport.ts";
import type { WindowEntry } from "./window.ts";

/** Finds the transport for recipients; asked again at every attempt. */
export interface Router {
  /**
   * Looks at a message. The function returned finds the way of each of its recipients, null when
   * no rule fits; recipients that share a weighted rule share its choice of transports.
   */
  open(message: MessageRecord): (recipient: RecipientRecord) => Way | null;
  /** Whether the answer depends on nothing but the recipient's domain. */
  readonly byDomainOnly: boolean;
  /** The transports of each rule; a way without one where mail may come to rest. */
  readonly ways: readonly (readonly Transport[])[];
  /** All transports; operators may choose one that no rule names. */
  readonly transports: ReadonlySet<Transport>;
}

export interface DispatcherOptions {
  /** Null when everybody gets mail. */
  readonly suppressions: Suppressions | null;
  readonly clock: Clock;
  readonly router: Router;
  readonly table: DestinationTable<Job>;
  readonly settler: Settler;
  readonly pauses: OperatorPauses;
  /** Knows the limits of destinations; null when there are none. */
  readonly shaper: Shaper | null;
  readonly lines: Lines<Job>;
  readonly tasks: TaskGroup;
  /** Something that waited for a look-up went on. */
  readonly onReady: () => void;
  /** A step failed for a fault of ours; its recipients are tried again later. */
  readonly onError: (error: unknown, messageId: string) => void;
}

/** RFC 3463 3.8: a decision of this relay, which says nothing of the recipient. */
const RETURNED = reply(554, "5.7.0", "Bounced by an operator of this relay");
/** RFC 3463 3.4: it is not sent now; operators changed its way. */
const TAKEN_BACK = reply(
  451,
  "4.3.2",
  "Rerouted by an operator of this relay",
);
/** RFC 3463 3.4; the cause is in the log. */
const INTERNAL_ERROR: Outcome = {
  kind: "temporary",
  reply: reply(451, "4.3.0", "Internal error, see the relay's log"),
};
/** RFC 3463 3.5: what is not tried by then expires. */
const WAITED_TOO_LONG: Setback = {
  kind: "temporary",
  reply: reply(451, "4.4.7", "Delivery time expired while the message waited for its turn"),
  counts: false,
};
/** Mail that waits longer for a limit takes the next transport of its route, if there is one. */
const LONGEST_LIMIT_MS = 60_000;

/**
 * Finds where recipients in the window go: into the line of a destination, back into the store
 * because nothing can be done for them now, or into an operator's hands.
 */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #putOffDomains = new PutOffDomains();
  /** Transports that operators chose for recipients, regardless of the rules. */
  readonly #chosen = new Set<Transport>();
  readonly #lookUps: LookUps;
  readonly #misfits = new Misfits();
  #router: Router;
  /** Grows with each change of the router. */
  #rules = 0;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#router = options.router;
    this.#lookUps = new LookUps({
      ...options,
      onFailed: (holding, failure) => this.#fail(holding, failure),
      onRecalled: (holding) => this.giveBack(holding),
    });
  }

  get router(): Router {
    return this.#router;
  }

  /** The transports of each rule, and those that mail takes besides. */
  get ways(): readonly (readonly Transport[])[] {
    return [...this.#router.ways, ...[...this.#chosen].map((transport) => [transport])];
  }

  /** Uses other routes for what comes from now on. */
  replaceRouter(router: Router): void {
    this.#chosen.clear();
    this.#misfits.clear();
    this.#router = router;
    this.#rules++;
  }

  /** Whether the way of a job was found by the rules that are in force. */
  isCurrent({ rules }: Job): boolean {
    return rules === this.#rules;
  }

  /** Remembers that the transport of a job cannot carry its message to a recipient. */
  noteMisfit(job: Job, misfit: { recipient: RecipientRecord; outcome: Unfit }): void {
    this.#misfits.note(job, { ...misfit, nowMs: this.#options.clock.now() });
  }

  /** Lets what waits for a look-up go back to the store: operators changed its way meanwhile. */
  recall(isMeant: (holding: Holding) => boolean): void {
    this.#lookUps.recall(isMeant);
  }

  /** What waits for a look-up. */
  get lookUps(): Iterable<Holding> {
    return this.#lookUps.waiting;
  }

  /** Domains whose mail waits because of a transport; asked once, `all` when they are many. */
  takePutOffDomains(transport: string): ReadonlySet<string> | "all" {
    return this.#putOffDomains.take(transport);
  }

  /** Finds the way of recipients that nothing was decided about yet. */
  enter(entry: WindowEntry, recipients: readonly RecipientRecord[]): void {
    const suspects = this.#try({ entry, recipients }, () => this.#lookUps.suspectsIn(recipients));
    if (suspects === null) return;
    if (suspects.length === 0) return this.#enter(entry, recipients);
    const others = recipients.filter((recipient) => !suspects.includes(recipient));
    if (others.length > 0) this.#enter(entry, others);
    this.#lookUps.begin({ entry, recipients: suspects }, {
      ready: this.#lookUps.suppressed(suspects),
      proceed: (suppressed) => {
        const free = suspects.filter((recipient) => !suppressed.has(recipient));
        for (const [recipient, outcome] of suppressed) this.#settle(entry, [recipient], outcome);
        if (free.length > 0) this.#enter(entry, free);
      },
    });
  }

  #enter(entry: WindowEntry, recipients: readonly RecipientRecord[]): void {
    const route = this.#try({ entry, recipients }, () => this.#router.open(entry.message));
    if (route === null) return;
    const wanted = this.#giveBack(entry, recipients);
    const isFree = this.#options.pauses.domains.isEmpty;
    const free = { entry, recipients: isFree ? wanted : this.#putOffPaused(entry, wanted) };
    const grouping = this.#try(free, () => groupIntoJobs(free, { route, rules: this.#rules }));
    if (grouping === null) return;
    const { jobs, resting, unroutable } = grouping;
    for (const job of jobs) {
      if (isRerouted(job)) this.#chosen.add(transportOf(job));
      this.dispatch(job);
    }
    for (const group of resting.values()) this.#rest(entry, group);
    if (unroutable.length === 0) return;
    const why = reply(450, "4.4.4", "No route matches this recipient");
    this.#settle(entry, unroutable, { kind: "temporary", reply: why });
  }

  /** Takes a step for recipients; where it throws they are tried again later. */
  #try<Result>(holding: Holding, step: () => Result): Result | null {
    try {
      return step();
    } catch (error) {
      this.#fail(holding, { error, outcome: INTERNAL_ERROR });
      return null;
    }
  }

  #fail(
    { entry, recipients }: Holding,
    { error, outcome }: { error: unknown; outcome: Outcome },
  ): void {
    this.#options.onError(error, entry.message.id);
    this.#settle(entry, recipients, outcome);
  }

  /** Gives a job that waits back to the store, due as it was, to be claimed as it stands there. */
  giveBack({ entry, recipients }: Holding): void {
    const outcome = { kind: "temporary", reply: TAKEN_BACK, counts: false } as const;
    this.#settle(entry, recipients, outcome, { isQuiet: true, staysDue: true });
  }

  /** Ends the wait of a job whose message expired. */
  expire({ entry, recipients }: Job): void {
    this.#settle(entry, recipients, WAITED_TOO_LONG);
  }

  /**
   * Lines a job up at its destination, or passes it on when that is down. A job whose way was
   * found by rules that were replaced enters anew.
   */
  dispatch(job: Job): void {
    if (!this.isCurrent(job)) return this.enter(job.entry, job.recipients);
    const fitting = this.#passOverMisfits(job);
    if (fitting.length === job.recipients.length) this.#dispatchFitting(job);
    else if (fitting.length > 0) this.#dispatchFitting({ ...job, recipients: fitting });
  }

  /** Passes on whom the transport of a job could not carry the message to, and returns the others. */
  #passOverMisfits(job: Job): readonly RecipientRecord[] {
    const nowMs = this.#options.clock.now();
    const unfit = new Map<RecipientRecord, Unfit>();
    const setbacks = new Map(job.setbacks);
    for (const recipient of job.recipients) {
      const said = this.#misfits.find(job, { recipient, nowMs });
      if (said === null) continue;
      unfit.set(recipient, said);
      if (said.kind === "broken") {
        setbacks.set(recipient, sooner(job.setbacks.get(recipient) ?? null, said));
      }
    }
    if (unfit.size === 0) return job.recipients;
    const recipients = [...unfit.keys()];
    const next = nextStep(job, { recipients, setbacks });
    for (const part of next) this.dispatch(part);
    if (next.length === 0) {
      // As at the end of an attempt: an earlier transport is waited for, if one would take it.
      const outcomes = [...unfit].map(([recipient, { reply }]): Outcome =>
        setbacks.get(recipient) ?? { kind: "permanent", reply }
      );
      this.#settle(job.entry, recipients, outcomes);
    }
    return job.recipients.filter((recipient) => !unfit.has(recipient));
  }

  #dispatchFitting(job: Job): void {
    const destination = this.#try(job, () => this.#destinationOf(job));
    if (destination === null) return;
    if (destination instanceof Promise) {
      const proceed = (): void => this.dispatch(job);
      return this.#lookUps.begin(job, { ready: destination, proceed });
    }
    const nowMs = this.#options.clock.now();
    const state = destination.state(nowMs);
    if (state.kind !== "down") return this.#lineUp(destination, { job, nowMs });
    const setback = setbackOf("4.4.1", { reason: state.reason, waitMs: state.untilMs - nowMs });
    if (!this.#failOver(job, setback)) this.#putOff(job, setback);
  }

  #destinationOf(job: Job): Destination<Job> | Promise<void> {
    const { shaper, table } = this.#options;
    const transport = transportOf(job);
    if (shaper === null || !shaper.isActive) return table.of(transport, job.domain);
    const mail = { transport, route: job.route, domain: job.domain };
    const lane = shaper.laneOf(mail);
    if (lane instanceof Promise) return lane;
    const destination = table.of(transport, job.domain, lane);
    if (!destination.isShaped) {
      destination.shape(shaper.gateOf(mail, destination.name));
    }
    return destination;
  }

  /** Lines a job up, in parts if they are limited, or gives it a later turn. */
  #lineUp(
    destination: Destination<Job>,
    { job, nowMs }: { job: Job; nowMs: number },
  ): void {
    const { lines } = this.#options;
    const { gate } = destination;
    if (gate === null) return lines.add(destination, job);
    for (const part of splitJob(job, gate.maxRecipients)) {
      const turnAtMs = gate.turnFor({
        ...{ nowMs, waiting: destination.waiting.length },
        isFresh: isFresh(part),
      });
      if (turnAtMs === null) lines.add(destination, part);
      else this.#giveTurn(part, { turnAtMs, nowMs, reason: gate.reason(nowMs) });
    }
  }

  /** Mail that a limit makes wait goes by the next transport, or waits in the store. */
  #giveTurn(
    job: Job,
    { turnAtMs, nowMs, reason }: { turnAtMs: number; nowMs: number; reason: string },
  ): void {
    const waitMs = turnAtMs - nowMs;
    const setback = setbackOf("4.4.5", { reason, waitMs }); // RFC 3463 3.5: congestion
    if (waitMs > LONGEST_LIMIT_MS && this.#failOver(job, setback)) return;
    this.#settleSetBack(job, { setback, isQuiet: true });
  }

  /** Goes on with the next transport of the route; false when there is none. */
  #failOver(job: Job, setback: Setback): boolean {
    const { recipients } = job;
    const setbacks = new Map(
      recipients.map((one) => [one, sooner(job.setbacks.get(one) ?? null, setback)]),
    );
    const next = nextStep(job, { recipients, setbacks });
    for (const part of next) this.dispatch(part);
    return next.length > 0;
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
    const [first] = job.recipients;
    const known = first === undefined ? undefined : job.setbacks.get(first);
    const soonest = sooner(known ?? null, setback);
    const untilMs = nowMs + (soonest.retryAfterMs ?? 0);
    const isOfDomain = this.#router.byDomainOnly && job.entry.message.route === undefined &&
      !isRerouted(job);
    if (isOfDomain && table.isClosed(job, nowMs)) {
      table.pause(job.domain, { untilMs, sinceMs: nowMs, reason: formatReply(soonest.reply) });
    }
    this.#settleSetBack(job, { setback });
  }

  /** Settles each recipient of a job by the setback that is over first. */
  #settleSetBack(
    { entry, recipients, setbacks }: Job,
    { setback, isQuiet = false }: { setback: Setback; isQuiet?: boolean },
  ): void {
    const outcomes = recipients.map((one) => sooner(setbacks.get(one) ?? null, setback));
    this.#settle(entry, recipients, outcomes, { isQuiet });
  }

  /** Settles recipients for whom no attempt was made, by one outcome for all or one for each. */
  #settle(
    entry: WindowEntry,
    recipients: readonly RecipientRecord[],
    outcome: Outcome | readonly Outcome[],
    { isQuiet = false, staysDue = false }: { isQuiet?: boolean; staysDue?: boolean } = {},
  ): void {
    const { clock, settler, table } = this.#options;
    const nowMs = clock.now();
    settler.settle(entry, {
      recipients,
      outcomes: "kind" in outcome ? recipients.map(() => outcome) : outcome,
      transport: "",
      destination: "",
      report: null,
      timeline: [],
      staysDue,
      keepsPlace: table.gateUntilMs(nowMs) > nowMs,
      isQuiet,
    });
  }
}

/** Whether an operator chose the transport; all recipients of a job take the same way. */
function isRerouted({ recipients }: Job): boolean {
  return recipients.some(({ rerouted }) => rerouted === true);
}

/** Mail that was not given a turn or put off before. */
function isFresh({ recipients: [first], entry: { message } }: Job): boolean {
  return first !== undefined && first.nextAttemptAtMs <= message.receivedAtMs;
}

function setbackOf(
  enhanced: EnhancedCode,
  { reason, waitMs }: { reason: string; waitMs: number },
): Setback {
  const why = reply(451, enhanced, reason);
  return { kind: "temporary", reply: why, counts: false, retryAfterMs: waitMs };
}

function restReply({ kind, name }: RestingWay): Reply {
  // RFC 3463 3.8: a matter of policy here, not of the recipient.
  return kind === "hold"
    ? reply(450, "4.7.0", `Held by route ${name}`)
    : reply(250, "2.7.0", `Captured by route ${name}, not sent`);
}
