import type { Clock } from "../base/clock.ts";
import type { EnhancedCode } from "../mail/enhanced_code.ts";
import { formatReply, type Reply, reply } from "../mail/reply.ts";
import { cutText, withoutControls } from "../mail/safe_text.ts";
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
import { describePause, type OperatorPauses, PutOffDomains, putOffUntilMs } from "./pauses.ts";
import type { Settler } from "./settler.ts";
import type { Shaper } from "./shaping/shaper.ts";
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
  /** All transports; operators may choose one that no rule names. */
  readonly transports: ReadonlySet<Transport>;
}

/** Recipients that get no mail; `SuppressionList` has this shape. */
export interface Suppressions {
  /** False when a mailbox is not suppressed; true when `find` has to be asked. */
  mayHave(mailbox: string): boolean;
  find(mailbox: string): Promise<{ readonly reason: string; readonly source: string } | null>;
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
  /** Goes on with a job when `ready` resolves. */
  readonly onceReady: (ready: Promise<void>, proceed: () => void) => void;
}

/** RFC 3463 3.8: a decision of this relay, which says nothing of the recipient. */
const RETURNED = reply(554, "5.7.0", "Returned to its sender by an operator of this relay");
/** RFC 3463 3.4: it is not sent now; operators changed its way. */
const TAKEN_BACK = reply(
  451,
  "4.3.2",
  "Taken back by an operator of this relay, to go another way",
);
/** Mail that waits longer for a limit takes the next transport of its route, if there is one. */
const LONGEST_LIMIT_MS = 60_000;

/**
 * Finds where recipients in the window go: into the line of a destination, back into the store
 * because nothing can be done for them now, or into an operator's hands.
 */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #putOffDomains = new PutOffDomains();
  /** Transports that operators chose for recipients, whatever the rules say. */
  readonly #chosen = new Set<Transport>();
  #router: Router;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#router = options.router;
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
    this.#router = router;
  }

  /** Domains whose mail waits because of a transport; asked once, `all` when they are many. */
  takePutOffDomains(transport: string): ReadonlySet<string> | "all" {
    return this.#putOffDomains.take(transport);
  }

  /** Finds the way of recipients that nothing was decided about yet. */
  enter(entry: WindowEntry, recipients: readonly RecipientRecord[]): void {
    const { suppressions } = this.#options;
    const suspects = suppressions === null
      ? []
      : recipients.filter(({ forwardPath }) => suppressions.mayHave(forwardPath));
    if (suppressions === null || suspects.length === 0) return this.#enter(entry, recipients);
    const others = recipients.filter((recipient) => !suspects.includes(recipient));
    if (others.length > 0) this.#enter(entry, others);
    this.#lookUp(entry, { suspects, suppressions });
  }

  /** Asks the store whether recipients get no mail, and enters those that do. */
  #lookUp(
    entry: WindowEntry,
    { suspects, suppressions }: {
      suspects: readonly RecipientRecord[];
      suppressions: Suppressions;
    },
  ): void {
    const found = new Map<RecipientRecord, Outcome | null>();
    const ready = Promise.all(suspects.map(async (recipient) => {
      found.set(recipient, await suppressionOf(recipient, suppressions));
    }));
    this.#options.onceReady(ready.then(() => {}), () => {
      const free = suspects.filter((recipient) => found.get(recipient) === null);
      if (free.length > 0) this.#enter(entry, free);
      for (const [recipient, outcome] of found) {
        if (outcome !== null) this.#settle(entry, [recipient], outcome);
      }
    });
  }

  #enter(entry: WindowEntry, recipients: readonly RecipientRecord[]): void {
    const { pauses } = this.#options;
    const wanted = this.#giveBack(entry, recipients);
    const free = pauses.domains.isEmpty ? wanted : this.#putOffPaused(entry, wanted);
    const { jobs, resting, unroutable } = groupIntoJobs(
      entry,
      free,
      this.#router.open(entry.message),
    );
    for (const job of jobs) {
      if (isRerouted(job)) this.#chosen.add(transportOf(job));
      this.dispatch(job);
    }
    for (const group of resting.values()) this.#rest(entry, group);
    if (unroutable.length === 0) return;
    const why = reply(450, "4.4.4", "No route fits this recipient");
    this.#settle(entry, unroutable, { kind: "temporary", reply: why });
  }

  /** Gives a job that waits back to the store, due as it was, to be claimed as it stands there. */
  giveBack({ entry, recipients }: Job): void {
    const outcome = { kind: "temporary", reply: TAKEN_BACK, counts: false } as const;
    this.#settle(entry, recipients, outcome, { isQuiet: true, staysDue: true });
  }

  /** Lines a job up at its destination, or passes it on when that is down. */
  dispatch(job: Job): void {
    const { clock, onceReady } = this.#options;
    const destination = this.#destinationOf(job);
    if (destination instanceof Promise) {
      return onceReady(destination, () => this.dispatch(job));
    }
    const nowMs = clock.now();
    const state = destination.state(nowMs);
    if (state.kind !== "down") return this.#lineUp(destination, { job, nowMs });
    const setback = setbackOf("4.4.1", { reason: state.reason, waitMs: state.untilMs - nowMs });
    if (!this.#failOver(job, setback)) this.#putOff(job, sooner(job.setback, setback));
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
    const { table } = this.#options;
    const { gate } = destination;
    if (gate === null) {
      destination.waiting.push(job);
      return table.markReady(destination, nowMs);
    }
    for (const part of splitJob(job, gate.maxRecipients)) {
      const turnAtMs = gate.turnFor({
        ...{ nowMs, waiting: destination.waiting.length },
        isFresh: isFresh(part),
      });
      if (turnAtMs === null) destination.waiting.push(part);
      else this.#giveTurn(part, { turnAtMs, nowMs, reason: gate.reason(nowMs) });
    }
    table.markReady(destination, nowMs);
  }

  /** Mail that a limit makes wait goes by the next transport, or waits in the store. */
  #giveTurn(
    job: Job,
    { turnAtMs, nowMs, reason }: { turnAtMs: number; nowMs: number; reason: string },
  ): void {
    const waitMs = turnAtMs - nowMs;
    const setback = setbackOf("4.4.5", { reason, waitMs }); // RFC 3463 3.5: congestion
    if (waitMs > LONGEST_LIMIT_MS && this.#failOver(job, setback)) return;
    this.#settle(job.entry, job.recipients, sooner(job.setback, setback), { isQuiet: true });
  }

  /** Goes on with the next transport of the route; false when there is none. */
  #failOver(job: Job, setback: Setback): boolean {
    const next = nextStep(job, {
      recipients: job.recipients,
      setback: sooner(job.setback, setback),
    });
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
    const untilMs = nowMs + (setback.retryAfterMs ?? 0);
    const isOfDomain = this.#router.byDomainOnly && job.entry.message.route === undefined &&
      !isRerouted(job);
    if (isOfDomain && table.isClosed(job, nowMs)) {
      table.pause(job.domain, { untilMs, reason: formatReply(setback.reply) });
    }
    this.#settle(job.entry, job.recipients, setback);
  }

  /** Settles recipients for whom no attempt was made. */
  #settle(
    entry: WindowEntry,
    recipients: readonly RecipientRecord[],
    outcome: Outcome,
    { isQuiet = false, staysDue = false }: { isQuiet?: boolean; staysDue?: boolean } = {},
  ): void {
    const { clock, settler, table } = this.#options;
    settler.settle(entry, {
      recipients,
      outcomes: recipients.map(() => outcome),
      transport: "",
      destination: "",
      report: null,
      timeline: [],
      keepsPlace: staysDue || table.gateUntilMs > clock.now(),
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
    : reply(250, "2.7.0", `Captured by route ${name}, sent nowhere`);
}

/** How long to wait when it cannot be told whether a recipient is to get mail. */
const LOOK_UP_RETRY_MS = 60_000;

/** What becomes of a recipient that is suppressed; null when it is not. */
async function suppressionOf(
  { forwardPath }: RecipientRecord,
  suppressions: Suppressions,
): Promise<Outcome | null> {
  try {
    const found = await suppressions.find(forwardPath);
    if (found === null) return null;
    const why = found.reason === "" ? "" : `: ${found.reason}`;
    const text = cutText(withoutControls(`Recipient is on the suppression list${why}`), 300);
    return { kind: "permanent", reply: reply(550, "5.7.1", text), suppressed: true };
  } catch {
    const unknown = reply(451, "4.3.0", "Cannot look into the suppression list");
    return { kind: "temporary", reply: unknown, counts: false, retryAfterMs: LOOK_UP_RETRY_MS };
  }
}
