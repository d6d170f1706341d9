import type { Clock } from "../base/clock.ts";
import { reply } from "../mail/reply.ts";
import type { QueueStore } from "../queue/store.ts";
import { isFinal } from "../queue/transition.ts";
import { BodyGoneError, bodyOf } from "./body.ts";
import type { Classifier } from "./classify/classifier.ts";
import type { Destination, Ticket } from "./destination.ts";
import type { DestinationTable } from "./destination_table.ts";
import type { Dispatcher } from "./dispatcher.ts";
import { divide, type Division, isBlame } from "./failover.ts";
import { addresseesOf, type Job } from "./job.ts";
import type { Learner } from "./learner.ts";
import type { Lines } from "./lines.ts";
import { type RefusalSink, refusedIn } from "./refusals.ts";
import type { Settler } from "./settler.ts";
import { attemptEntry, type DialogueChoice } from "./timeline.ts";
import type { DeliveryReport } from "./transport.ts";

/** What attempts are made with, and who gets what they leave. */
export interface AttemptOptions {
  readonly store: QueueStore;
  readonly clock: Clock;
  readonly table: DestinationTable<Job>;
  readonly lines: Lines<Job>;
  readonly dispatcher: Dispatcher;
  readonly settler: Settler;
  readonly learner: Learner<Job>;
  /** Aborted when the relay stops and attempts are to be given up. */
  readonly signal: AbortSignal;
  /** As in `SchedulerOptions`. */
  readonly onRefused?: RefusalSink;
  readonly classifier?: () => Classifier;
  readonly dialogues?: () => DialogueChoice;
  /** An attempt ended, so that others may begin. */
  readonly onEnded: () => void;
  readonly onError: (error: unknown, messageId: string) => void;
}

/** What a transport answered, or that it threw. */
type Told =
  | { readonly kind: "report"; readonly report: DeliveryReport }
  | { readonly kind: "failed"; readonly error: unknown }
  /** The octets are gone with the message: operators took it out of the queue. */
  | { readonly kind: "void" };

/** A job that is being tried, and what was begun for it. */
interface Attempt {
  readonly job: Job;
  readonly ticket: Ticket;
  /** Whether what it leaves undone goes back to the store, which has other news of it. */
  readonly isRecalled: boolean;
}

/** Makes attempts, and takes each recipient of theirs where its outcome leads. */
export class Attempts {
  readonly #options: AttemptOptions;
  readonly #jobs = new Set<Job>();
  readonly #recalled = new Set<Job>();

  constructor(options: AttemptOptions) {
    this.#options = options;
  }

  /** Jobs of the attempts under way. */
  get jobs(): ReadonlySet<Job> {
    return this.#jobs;
  }

  /** Lets what attempts leave undone go back to the store: operators changed its way meanwhile. */
  recall(isMeant: (job: Job) => boolean): void {
    for (const job of this.#jobs) if (isMeant(job)) this.#recalled.add(job);
  }

  /** Makes an attempt; it has begun when this returns. */
  async make(destination: Destination<Job>, job: Job): Promise<void> {
    const { lines, table, clock, onEnded } = this.#options;
    const ticket = destination.begin(clock.now());
    this.#jobs.add(job);
    let told: Told;
    try {
      told = { kind: "report", report: await this.#deliver(destination, { job, ticket }) };
      if (told.report.fault !== undefined) await this.#tellFault(job, told.report.fault);
    } catch (error) {
      told = await this.#whyFailed(job, error);
    }
    this.#jobs.delete(job);
    const isRecalled = this.#recalled.delete(job);
    destination.end(ticket);
    if (told.kind === "report") {
      this.#end(destination, { job, ticket, isRecalled, report: told.report });
    } else if (told.kind === "void") this.#options.dispatcher.giveBack(job);
    else this.#digestError(destination, { job, error: told.error });
    lines.place(destination);
    if (ticket.gate !== null) lines.unblock();
    table.forgetIfIdle(destination, clock.now());
    onEnded();
  }

  #deliver(
    destination: Destination<Job>,
    { job, ticket: { gate } }: Pick<Attempt, "job" | "ticket">,
  ): Promise<DeliveryReport> {
    const { store, signal } = this.#options;
    const limitsConnections = gate?.limitsConnections ?? false;
    return destination.transport.deliver({
      message: job.entry.message,
      recipients: addresseesOf(job),
      domain: job.domain,
      body: bodyOf(store, job.entry),
      ...(job.redirect === null ? {} : { redirected: true }),
    }, {
      signal,
      rawOnly: job.rawOnly,
      ...(limitsConnections ? { keepsConnection: () => destination.waiting.length > 0 } : {}),
    });
  }

  /** Tells of a fault that only some recipients of an attempt met, unless it is none. */
  async #tellFault(job: Job, fault: unknown): Promise<void> {
    const why = await this.#whyFailed(job, fault);
    if (why.kind === "failed") this.#options.onError(why.error, job.entry.message.id);
  }

  /** Octets that are gone mean something else with a message that is over; the store knows. */
  async #whyFailed(job: Job, error: unknown): Promise<Exclude<Told, { kind: "report" }>> {
    if (!(error instanceof BodyGoneError)) return { kind: "failed", error };
    try {
      return await this.#isOver(job) ? { kind: "void" } : { kind: "failed", error };
    } catch (unknown) { // it cannot be asked now: the next attempt tells
      return { kind: "failed", error: unknown };
    }
  }

  /** Whether the store knows of nothing more to do for a job. */
  async #isOver({ entry, recipients }: Job): Promise<boolean> {
    const detail = await this.#options.store.get(entry.message.id);
    const states = recipients.map(({ index }) => detail?.recipients[index]?.state);
    return states.every((state) => state === undefined || isFinal(state));
  }

  #end(
    destination: Destination<Job>,
    { job, report: told, ...attempt }: Attempt & { readonly report: DeliveryReport },
  ): void {
    const report = this.#understood(job, told);
    const { ticket } = attempt;
    this.#try(job, () => this.#options.learner.learn(destination, { report, ticket }));
    this.#digest(destination, { job, ...attempt, report });
  }

  /** What an attempt came to for the recipients of its job. */
  #understood(job: Job, report: DeliveryReport): DeliveryReport {
    const { classifier } = this.#options;
    const classified = this.#try(job, () => classifier?.().classify(report, job.domain)) ?? report;
    return job.redirect === null ? classified : forAll(job, classified);
  }

  /** Takes a step that outcomes do not depend on: where it fails they stand all the same. */
  #try<Result>({ entry }: Job, step: () => Result): Result | undefined {
    try {
      return step();
    } catch (error) {
      this.#options.onError(error, entry.message.id);
      return undefined;
    }
  }

  /** Sends each recipient where its outcome leads: to the next transport, or to be settled. */
  #digest(
    destination: Destination<Job>,
    { job, ticket: { startedAtMs }, isRecalled, report }: Attempt & {
      readonly report: DeliveryReport;
    },
  ): void {
    const { clock, dispatcher, lines, settler, table } = this.#options;
    const { entry } = job;
    const { transport: { name: transport }, name } = destination;
    const endedAtMs = clock.now();
    const step = this.#try(job, () => {
      const dialogues = this.#options.dialogues?.() ?? "all";
      const facts = { transport, destination: name, report, startedAtMs, endedAtMs, dialogues };
      return attemptEntry(job, facts);
    });
    const timeline = step === undefined ? [] : [step];
    const isCurrent = dispatcher.isCurrent(job) && !isRecalled;
    const { settled, moved, waiting } = divide(job, {
      outcomes: report.outcomes,
      entersAnew: !isCurrent,
      mayWait: isCurrent &&
        (isBlame(report.outcomes) || mayWaitInLine(destination, { job, nowMs: endedAtMs })),
    });
    this.#noteMisfits(job, report);
    this.#tellRefused(job, settled);
    if (settled.recipients.length === 0) settler.note(entry, timeline);
    // Some claims may be lost and others not: only what is recorded may be reported.
    const parts = isRecalled ? oneByOne(settled) : [settled];
    for (const [place, part] of parts.entries()) {
      if (part.recipients.length === 0) continue;
      settler.settle(entry, {
        ...part,
        transport,
        destination: name,
        report,
        timeline: place === 0 ? timeline : [],
        durationMs: endedAtMs - startedAtMs,
        keepsPlace: table.gateUntilMs(endedAtMs) > endedAtMs,
      });
    }
    if (waiting.length > 0) lines.putBack(destination, { ...job, recipients: waiting });
    for (const part of moved) {
      if (isRecalled) dispatcher.giveBack(part);
      else dispatcher.dispatch(part);
    }
  }

  #noteMisfits(job: Job, { outcomes }: DeliveryReport): void {
    job.recipients.forEach((recipient, position) => {
      const outcome = outcomes[position];
      const isUnfit = outcome?.kind === "unsuitable" ||
        outcome?.kind === "broken" && outcome.scope === "message";
      if (isUnfit) this.#options.dispatcher.noteMisfit(job, { recipient, outcome });
    });
  }

  #tellRefused(job: Job, settled: Division["settled"]): void {
    const { onRefused } = this.#options;
    if (onRefused === undefined) return;
    for (const refused of refusedIn(job, settled)) this.#try(job, () => onRefused(refused));
  }

  /** An error nobody expected is temporary and never a bounce. */
  #digestError(
    { transport, name }: Destination<Job>,
    { job: { entry, recipients }, error }: { job: Job; error: unknown },
  ): void {
    const { settler, onError } = this.#options;
    onError(error, entry.message.id);
    if (error instanceof BodyGoneError) {
      return settler.hold(entry, { recipients, why: reply(451, "4.3.0", error.message) });
    }
    const internal = reply(451, "4.3.0", "Internal error, see the relay's log");
    settler.settle(entry, {
      recipients,
      outcomes: recipients.map(() => ({ kind: "temporary", reply: internal })),
      transport: transport.name,
      destination: name,
      report: null,
      timeline: [],
      keepsPlace: false,
    });
  }
}

/** What is to be settled, apart for each recipient. */
function oneByOne({ recipients, outcomes }: Division["settled"]): Division["settled"][] {
  return recipients.map((recipient, position) => ({
    recipients: [recipient],
    outcomes: outcomes.slice(position, position + 1),
  }));
}

/** The outcome of the mailbox that stands for all recipients is that of each. */
function forAll({ recipients }: Job, report: DeliveryReport): DeliveryReport {
  const [outcome] = report.outcomes;
  return outcome === undefined ? report : { ...report, outcomes: recipients.map(() => outcome) };
}

/**
 * Whether a job may wait where it is for the end of a limit: it keeps its place before those that
 * came later, and the store need not know. With another transport it would go there instead.
 */
function mayWaitInLine(
  destination: Destination<Job>,
  { job, nowMs }: { job: Job; nowMs: number },
): boolean {
  const untilMs = destination.shortRestUntilMs(nowMs);
  return untilMs !== null && job.transports.length === 1 &&
    untilMs < job.entry.message.expiresAtMs;
}
