import type { Clock } from "../base/clock.ts";
import { TaskGroup } from "../base/task_group.ts";
import { reply } from "../mail/reply.ts";
import type { EventSink } from "../observe/events.ts";
import type { EventRecorder } from "../queue/outbox.ts";
import type { ClaimedMessage, Lease, QueueStore } from "../queue/store.ts";
import { BodyGoneError, bodyOf } from "./body.ts";
import { Claimer } from "./claimer.ts";
import type { Classifier } from "./classify/classifier.ts";
import type { CircuitState } from "./circuit.ts";
import type { RetryPolicy } from "./conclude.ts";
import type { Destination, DestinationLimits, Ticket } from "./destination.ts";
import { DestinationTable } from "./destination_table.ts";
import { Dispatcher, type Router, type Suppressions } from "./dispatcher.ts";
import { divide, isBlame } from "./failover.ts";
import { addresseesOf, type Job } from "./job.ts";
import { Learner } from "./learner.ts";
import { OperatorPauses } from "./pauses.ts";
import type { NotificationMaker } from "./notifications.ts";
import { type RefusalSink, refusedIn } from "./refusals.ts";
import { Settler } from "./settler.ts";
import type { Shaper } from "./shaping/shaper.ts";
import { attemptEntry, type DialogueChoice } from "./timeline.ts";
import type { DeliveryReport, Transport } from "./transport.ts";
import { ActiveWindow, type WindowLimits } from "./window.ts";

export interface SchedulerOptions {
  readonly store: QueueStore;
  readonly clock: Clock;
  readonly emit: EventSink;
  /** Makes what the outbox keeps of events; absent when nobody asked to be told. */
  readonly record?: EventRecorder;
  /** Names this node in its claims. */
  readonly owner: string;
  readonly leaseMs: number;
  readonly window: WindowLimits;
  readonly destinations: DestinationLimits;
  /** Attempts under way at once, over all destinations. */
  readonly maxConcurrency: number;
  readonly retry: RetryPolicy;
  readonly notifications: NotificationMaker;
  readonly router: Router;
  /** What operators paused; they may change it at any time and call `lookAgain`. */
  readonly pauses?: OperatorPauses;
  /** Knows the limits of destinations; absent means that there are none. */
  readonly shaper?: Shaper;
  /** Recipients that get no mail; absent means that there are none. */
  readonly suppressions?: Suppressions;
  /** Hears of recipients that a next hop refused for good. */
  readonly onRefused?: RefusalSink;
  /** Says what replies mean, where their codes do not; asked at each attempt. */
  readonly classifier?: () => Classifier;
  /** Says of which attempts the dialogue is kept; absent means of all. */
  readonly dialogues?: () => DialogueChoice;
}

/**
 * Moves due mail out. It claims recipients into a bounded window, hands them to transports
 * grouped by destination, fairly and with a limit for each, and has the outcomes settled.
 */
export class Scheduler {
  readonly #options: SchedulerOptions;
  readonly #window: ActiveWindow;
  readonly #table: DestinationTable<Job>;
  readonly #tasks: TaskGroup;
  readonly #settler: Settler;
  readonly #dispatcher: Dispatcher;
  readonly #claimer: Claimer;
  readonly #learner: Learner<Job>;
  readonly #abort = new AbortController();
  #attempts = 0;
  #stopped = false;
  #pumpAtMs = Infinity;
  #cancelPump: () => void = () => {};

  constructor(options: SchedulerOptions) {
    this.#options = options;
    this.#window = new ActiveWindow(options.window);
    const pauses = options.pauses ?? new OperatorPauses();
    this.#table = new DestinationTable({
      limits: options.destinations,
      operator: pauses,
      onRest: (untilMs) => this.#pumpAt(untilMs),
    });
    this.#tasks = new TaskGroup((error) => this.#trouble("delivery", error));
    this.#settler = new Settler({
      ...options,
      tasks: this.#tasks,
      signal: this.#abort.signal,
      onSettled: (entry, { recipients, nextAttemptAtMs, notified }) => {
        this.#window.leave(entry, recipients);
        if (nextAttemptAtMs !== null) this.#claimer.wakeAt(nextAttemptAtMs);
        if (notified) this.#claimer.wake();
        else this.#claimer.windowThinned();
      },
    });
    this.#dispatcher = new Dispatcher({
      ...{ clock: options.clock, router: options.router, table: this.#table },
      ...{ settler: this.#settler, pauses, shaper: options.shaper ?? null },
      suppressions: options.suppressions ?? null,
      onceReady: (ready, proceed) =>
        this.#tasks.run(async () => {
          await ready;
          proceed();
          this.#pump();
        }),
    });
    this.#claimer = new Claimer({
      ...options,
      window: this.#window,
      perDomain: options.window.perDomain,
      tasks: this.#tasks,
      gateUntilMs: () => this.#table.gateUntilMs,
      paused: (nowMs) => this.#table.paused(nowMs),
      onClaimed: (messages) => this.#takeIn(messages),
      onHousekeeping: (nowMs) => this.#table.forgetStale(nowMs),
      onError: (error) => this.#trouble("queue", error),
    });
    this.#learner = new Learner({
      ...options,
      table: this.#table,
      ways: () => this.#dispatcher.ways,
      signal: this.#abort.signal,
      onDown: (retryAtMs) => this.#claimer.wakeAt(retryAtMs),
      onUp: () => this.wake(),
    });
  }

  /** Starts claiming. */
  start(): void {
    this.#claimer.start();
  }

  /** Uses other routes and transports from the next attempt on; attempts under way go on. */
  replaceRouter(router: Router): void {
    this.#dispatcher.replaceRouter(router);
    const waiting = this.#table.keepOnly(router.transports);
    this.#table.probeNow();
    for (const { entry, recipients } of waiting) this.#dispatcher.enter(entry, recipients);
    this.#pump();
    this.wake();
  }

  /** Looks at the limits again, as they have changed. */
  reshape(): void {
    this.#table.unshape();
    this.lookAgain();
  }

  /** What is known about destinations, for status displays. */
  get destinations(): Iterable<Destination<Job>> {
    return this.#table;
  }

  /** What is known about the destination of a domain; null when nothing is. */
  destinationOf(transport: Transport, domain: string): Destination<Job> | null {
    for (const destination of this.#table.find(transport, domain)) return destination;
    return null;
  }

  /** Whether a transport works, as far as that is not a matter of the destination. */
  transportState(transport: Transport): CircuitState {
    return this.#table.transportState(transport, this.#options.clock.now());
  }

  /** Decides again about everything that waits in the window, after operators paused something. */
  lookAgain(): void {
    this.#table.forgetPauses();
    for (const { entry, recipients } of this.#table.drain()) {
      this.#dispatcher.enter(entry, recipients);
    }
    this.#pump();
    this.wake();
  }

  /**
   * Claims again what waits in the window and was not begun, after operators changed the way of
   * some of it in the store.
   */
  reclaim(): void {
    this.#table.forgetPauses();
    for (const job of this.#table.drain()) this.#dispatcher.giveBack(job);
    this.wake();
  }

  /** Domains whose mail waits because of a transport; asked once, `all` when they are many. */
  takePutOffDomains(transport: string): ReadonlySet<string> | "all" {
    return this.#dispatcher.takePutOffDomains(transport);
  }

  /** Forgets that ways for a domain, or all of a transport's, were down; the next attempt tells. */
  probe(what: { readonly domain: string } | { readonly transport: Transport }): void {
    if ("transport" in what) this.#table.probeTransport(what.transport);
    else {
      for (const transport of this.#dispatcher.router.transports) {
        for (const { circuit } of this.#table.find(transport, what.domain)) circuit.probeNow();
      }
    }
    this.lookAgain();
  }

  /** Recipients in the window. */
  get activeRecipients(): number {
    return this.#window.recipients;
  }

  /**
   * Takes places in the window for a message about to be stored, so that it need not be claimed.
   * Returns null when it should wait in the store like any other.
   */
  reserve(
    recipients: readonly { readonly domain: string }[],
    inlineBytes: number,
  ): Lease | null {
    const nowMs = this.#options.clock.now();
    if (this.#stopped || this.#table.gateUntilMs > nowMs) return null;
    for (const { domain } of recipients) if (this.#table.isPaused(domain, nowMs)) return null;
    if (!this.#window.reserve(recipients, inlineBytes)) return null;
    return { owner: this.#options.owner, untilMs: nowMs + this.#options.leaseMs };
  }

  /** Gives back what `reserve` took. */
  unreserve(recipients: readonly { readonly domain: string }[], inlineBytes: number): void {
    this.#window.unreserve(recipients, inlineBytes);
  }

  /** Starts on a message whose places were reserved and which is now durable. */
  enterReserved(claimed: ClaimedMessage): void {
    this.#dispatcher.enter(this.#window.enterReserved(claimed), claimed.recipients);
    this.#pump();
  }

  /** Looks for due mail soon. Cheap to call often. */
  wake(): void {
    this.#claimer.wake();
  }

  /**
   * Stops claiming, gives attempts under way `limitMs` to end, then aborts them, and gives back
   * every claim. Resolves when nothing is claimed.
   */
  async stop({ limitMs }: { limitMs: number }): Promise<void> {
    const { clock, owner, store } = this.#options;
    this.#stopped = true;
    this.#claimer.stop();
    this.#cancelPump();
    const cancelAbort = clock.schedule(limitMs, () => this.#abort.abort());
    await this.#tasks.idle();
    cancelAbort();
    await store.abandon({ owner, nowMs: clock.now() });
  }

  #takeIn(claimed: readonly ClaimedMessage[]): void {
    for (const message of claimed) {
      this.#dispatcher.enter(this.#window.enter(message), message.recipients);
    }
    this.#pump();
  }

  #pump(): void {
    const { clock, maxConcurrency } = this.#options;
    const nowMs = clock.now();
    while (this.#attempts < maxConcurrency && !this.#stopped) {
      const destination = this.#table.takeReady(nowMs);
      const job = destination?.waiting.shift();
      if (destination === null || job === undefined) return;
      const ticket = destination.begin(nowMs);
      this.#attempts++;
      this.#table.markReady(destination, nowMs);
      this.#tasks.run(() => this.#attempt(destination, { job, ticket }));
    }
  }

  async #attempt(
    destination: Destination<Job>,
    { job, ticket }: { job: Job; ticket: Ticket },
  ): Promise<void> {
    const { store } = this.#options;
    const { number, startedAtMs, gate } = ticket;
    const limitsConnections = gate?.limitsConnections ?? false;
    try {
      const told = await destination.transport.deliver({
        message: job.entry.message,
        recipients: addresseesOf(job),
        domain: job.domain,
        body: bodyOf(store, job.entry),
        ...(job.redirect === null ? {} : { redirected: true }),
      }, {
        signal: this.#abort.signal,
        rawOnly: job.rawOnly,
        ...(limitsConnections ? { keepsConnection: () => destination.waiting.length > 0 } : {}),
      });
      const report = this.#understood(job, told);
      this.#learner.learn(destination, { report, startedAtMs, number });
      this.#digest(destination, { job, report, startedAtMs });
    } catch (error) {
      this.#digestError(destination, job, error);
    } finally {
      this.#attempts--;
      destination.end(ticket);
      if (gate !== null) this.#table.wakeRested(this.#options.clock.now());
      this.#moveOn(destination);
    }
  }

  /** What an attempt came to for the recipients of its job. */
  #understood(job: Job, report: DeliveryReport): DeliveryReport {
    const { classifier } = this.#options;
    const classified = classifier?.().classify(report, job.domain) ?? report;
    return job.redirect === null ? classified : forAll(job, classified);
  }

  /** After an attempt: what waited for a destination now down goes on, others get their turn. */
  #moveOn(destination: Destination<Job>): void {
    const nowMs = this.#options.clock.now();
    if (destination.waiting.length > 0 && destination.state(nowMs).kind === "down") {
      for (const job of destination.waiting.drain()) this.#dispatcher.dispatch(job);
    }
    this.#table.markReady(destination, nowMs);
    this.#table.forgetIfIdle(destination, nowMs);
    this.#pump();
  }

  /** Starts what waited for the end of a limit. */
  #pumpAt(atMs: number): void {
    if (this.#stopped || atMs >= this.#pumpAtMs) return;
    const { clock } = this.#options;
    this.#cancelPump();
    this.#pumpAtMs = atMs;
    this.#cancelPump = clock.schedule(Math.max(0, atMs - clock.now()), () => {
      this.#pumpAtMs = Infinity;
      this.#table.wakeRested(clock.now());
      this.#pump();
    });
  }

  /** Sends each recipient where its outcome leads: to the next transport, or to be settled. */
  #digest(
    destination: Destination<Job>,
    { job, report, startedAtMs }: { job: Job; report: DeliveryReport; startedAtMs: number },
  ): void {
    const { entry } = job;
    const { transport: { name: transport }, name } = destination;
    const endedAtMs = this.#options.clock.now();
    const dialogues = this.#options.dialogues?.() ?? "all";
    const facts = { transport, destination: name, report, startedAtMs, endedAtMs, dialogues };
    const timeline = [attemptEntry(job, facts)];
    const isStopping = this.#abort.signal.aborted;
    const { settled, moved, waiting } = divide(job, {
      outcomes: report.outcomes,
      mayMove: !isStopping,
      mayWait: !isStopping &&
        (isBlame(report.outcomes) || mayWaitInLine(destination, job, endedAtMs)),
    });
    for (const refused of refusedIn(job, settled)) this.#options.onRefused?.(refused);
    if (waiting.length > 0) destination.waiting.unshift({ ...job, recipients: waiting });
    if (settled.recipients.length === 0) this.#settler.note(entry, timeline);
    else {
      this.#settler.settle(entry, {
        ...{ ...settled, transport, destination: name, report, timeline },
        durationMs: endedAtMs - startedAtMs,
        keepsPlace: this.#table.gateUntilMs > endedAtMs,
      });
    }
    for (const part of moved) this.#dispatcher.dispatch(part);
  }

  /** An error nobody expected is temporary and never a bounce. */
  #digestError(destination: Destination<Job>, job: Job, error: unknown): void {
    const { entry, recipients } = job;
    this.#trouble("delivery", error, entry.message.id);
    if (error instanceof BodyGoneError) {
      return this.#settler.hold(entry, { recipients, why: reply(451, "4.3.0", error.message) });
    }
    const internal = reply(451, "4.3.0", "Internal error, see the relay's log");
    this.#settler.settle(entry, {
      recipients,
      outcomes: recipients.map(() => ({ kind: "temporary", reply: internal })),
      transport: destination.transport.name,
      destination: destination.name,
      report: null,
      timeline: [],
      keepsPlace: false,
    });
  }

  #trouble(component: string, cause: unknown, messageId?: string): void {
    const message = cause instanceof Error ? cause.message : String(cause);
    this.#options.emit({
      type: "trouble",
      level: "error",
      component,
      message,
      ...(messageId === undefined ? {} : { messageId }),
      cause,
    });
  }
}

/** What became of the mailbox that stands for all recipients became of each. */
function forAll({ recipients }: Job, report: DeliveryReport): DeliveryReport {
  const [outcome] = report.outcomes;
  return outcome === undefined ? report : { ...report, outcomes: recipients.map(() => outcome) };
}

/**
 * Whether a job may wait where it is for the end of a limit: it keeps its place before those that
 * came later, and the store need not know. With another transport it would go there instead.
 */
function mayWaitInLine(destination: Destination<Job>, job: Job, nowMs: number): boolean {
  const untilMs = destination.shortRestUntilMs(nowMs);
  return untilMs !== null && job.transports.length === 1 &&
    untilMs < job.entry.message.expiresAtMs;
}
