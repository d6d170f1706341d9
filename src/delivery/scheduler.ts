import type { Clock } from "../base/clock.ts";
import { TaskGroup } from "../base/task_group.ts";
import { type EventSink, fanOut } from "../observe/events.ts";
import type { EventRecorder } from "../queue/outbox.ts";
import type { ClaimedMessage, Lease, QueueStore } from "../queue/store.ts";
import { Attempts } from "./attempts.ts";
import { auditWindow } from "./audit.ts";
import { Claimer } from "./claimer.ts";
import type { Classifier } from "./classify/classifier.ts";
import type { CircuitState } from "./circuit.ts";
import type { RetryPolicy } from "./conclude.ts";
import type { Destination, DestinationLimits } from "./destination.ts";
import { DestinationTable } from "./destination_table.ts";
import { Dispatcher, type Router } from "./dispatcher.ts";
import type { Job } from "./job.ts";
import { Learner } from "./learner.ts";
import { Lines } from "./lines.ts";
import type { Holding, Suppressions } from "./look_ups.ts";
import { Overlaps } from "./overlaps.ts";
import { OperatorPauses } from "./pauses.ts";
import type { NotificationMaker } from "./notifications.ts";
import type { RefusalSink } from "./refusals.ts";
import { Settler } from "./settler.ts";
import type { Shaper } from "./shaping/shaper.ts";
import type { DialogueChoice } from "./timeline.ts";
import type { Transport } from "./transport.ts";
import { ActiveWindow, type WindowLimits } from "./window.ts";

export interface SchedulerOptions {
  readonly store: QueueStore;
  readonly clock: Clock;
  readonly emit: EventSink;
  /** Makes what the outbox keeps of events; absent when no events are kept. */
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
  /** Is notified of recipients that a next hop refused permanently. */
  readonly onRefused?: RefusalSink;
  /** Says what replies mean, where their codes do not; asked at each attempt. */
  readonly classifier?: () => Classifier;
  /** Says of which attempts the dialogue is kept; absent means of all. */
  readonly dialogues?: () => DialogueChoice;
}

/** How long changes by others gather before what waits is claimed again. */
const RECLAIM_PAUSE_MS = 5_000;

/**
 * Moves due mail out. It claims recipients into a bounded window, hands them to transports
 * grouped by destination, fairly and with a limit for each, and has the outcomes settled.
 */
export class Scheduler {
  readonly #options: SchedulerOptions;
  readonly #window: ActiveWindow;
  readonly #table: DestinationTable<Job>;
  readonly #lines: Lines<Job>;
  readonly #tasks: TaskGroup;
  readonly #settler: Settler;
  readonly #dispatcher: Dispatcher;
  readonly #claimer: Claimer;
  readonly #learner: Learner<Job>;
  readonly #abort = new AbortController();
  readonly #attempts: Attempts;
  readonly #overlaps: Overlaps;
  /** What monotonic time has to be added to. */
  readonly #leaseStartMs: number;
  #stopped = false;
  /** Whether no attempt is left, so that no claim is needed any more. */
  #hasDrained = false;
  /** Set for a while after a change by others, as many may come one after the other. */
  #cancelReclaim: (() => void) | null = null;
  #endWatch: (() => void) | null = null;

  constructor(given: SchedulerOptions) {
    const options = { ...given, emit: fanOut([given.emit]) }; // who is told of mail decides nothing
    this.#options = options;
    this.#leaseStartMs = options.clock.now() - options.clock.monotonic();
    this.#window = new ActiveWindow(options.window);
    const pauses = options.pauses ?? new OperatorPauses();
    this.#table = new DestinationTable({ limits: options.destinations, operator: pauses });
    this.#lines = new Lines({
      clock: options.clock,
      onDown: (jobs) => jobs.forEach((job) => this.#dispatcher.dispatch(job)),
      onReady: () => this.#pump(),
    });
    this.#tasks = new TaskGroup((error) => this.#trouble("delivery", error));
    this.#settler = new Settler({
      ...options,
      tasks: this.#tasks,
      signal: this.#abort.signal,
      onSettled: (entry, { recipients, nextAttemptAtMs, notified }) => {
        this.#window.leave(entry, recipients);
        this.#overlaps.settled(entry, recipients);
        const isDue = nextAttemptAtMs !== null && nextAttemptAtMs <= options.clock.now();
        if (isDue || notified) this.#claimer.wake();
        if (nextAttemptAtMs !== null && !isDue) this.#claimer.wakeAt(nextAttemptAtMs);
        this.#claimer.windowThinned(recipients);
      },
    });
    this.#dispatcher = new Dispatcher({
      ...{ clock: options.clock, router: options.router, table: this.#table, lines: this.#lines },
      ...{ settler: this.#settler, tasks: this.#tasks, pauses, shaper: options.shaper ?? null },
      suppressions: options.suppressions ?? null,
      onReady: () => this.#pump(),
      onError: (error, messageId) => this.#trouble("delivery", error, messageId),
    });
    this.#claimer = new Claimer({
      ...options,
      window: this.#window,
      perDomain: options.window.perDomain,
      tasks: this.#tasks,
      leaseNowMs: () => this.#leaseNowMs(),
      gateUntilMs: (nowMs) => this.#table.gateUntilMs(nowMs),
      paused: (nowMs) => this.#table.paused(nowMs),
      onClaimed: (messages) => this.#takeIn(messages),
      onHousekeeping: (nowMs) => this.#keepHouse(nowMs),
      onError: (error) => this.#trouble("queue", error),
    });
    this.#learner = new Learner({
      ...options,
      table: this.#table,
      ways: () => this.#dispatcher.ways,
      signal: this.#abort.signal,
      onDown: (retryAtMs, scope) => {
        this.#claimer.wakeAt(retryAtMs);
        if (scope === "transport") this.#lines.placeAll();
      },
      onUp: () => this.wake(),
    });
    this.#attempts = new Attempts({
      ...options,
      ...{ table: this.#table, lines: this.#lines, dispatcher: this.#dispatcher },
      ...{ settler: this.#settler, learner: this.#learner, signal: this.#abort.signal },
      onEnded: () => this.#pump(),
      onError: (error, messageId) => this.#trouble("delivery", error, messageId),
    });
    this.#overlaps = new Overlaps({
      ...{ window: this.#window, lines: this.#lines, attempts: this.#attempts },
      ...{ dispatcher: this.#dispatcher, settler: this.#settler, tasks: this.#tasks },
      ...{ store: options.store, owner: options.owner },
      onFree: (claimed) => this.#takeIn([claimed]),
    });
  }

  /** Starts claiming. */
  start(): void {
    this.#claimer.start();
    this.#endWatch = this.#options.store.onChange(() => this.#changedElsewhere());
  }

  /**
   * Uses other routes and transports from the next attempt on. What waits enters anew by them, and
   * so does what an attempt under way leaves undone.
   */
  replaceRouter(router: Router): void {
    this.#dispatcher.replaceRouter(router);
    this.#table.probeNow();
    const waiting = this.#lines.drain();
    this.#table.keepOnly(router.transports);
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
    for (const { entry, recipients } of this.#lines.drain()) {
      this.#dispatcher.enter(entry, recipients);
    }
    this.#pump();
    this.wake();
  }

  /**
   * Claims again what waits in the window and was not begun, as it stands in the store now: after
   * operators changed its way, or took it out of the queue. With `ids` only that of some messages.
   */
  reclaim(ids?: ReadonlySet<string>): void {
    this.#table.forgetPauses();
    const isMeant = ({ entry }: Holding): boolean => ids?.has(entry.message.id) ?? true;
    this.#attempts.recall(isMeant);
    this.#dispatcher.recall(isMeant);
    const jobs = this.#lines.take(isMeant);
    for (const job of jobs) this.#dispatcher.giveBack(job);
    this.wake();
  }

  /** Somebody else, such as a tool, changed the queue: all that waits may stand otherwise now. */
  #changedElsewhere(): void {
    const { clock } = this.#options;
    if (this.#cancelReclaim !== null) return;
    this.reclaim();
    this.#cancelReclaim = clock.schedule(RECLAIM_PAUSE_MS, () => {
      this.#cancelReclaim = null;
      this.reclaim();
    });
  }

  /** Domains whose mail waits because of a transport; asked once, `all` when they are many. */
  takePutOffDomains(transport: string): ReadonlySet<string> | "all" {
    return this.#dispatcher.takePutOffDomains(transport);
  }

  /**
   * Forgets that ways for a domain, all of a transport's or all there are were down; the next
   * attempt tells. A transport that is down altogether is down for the domain, too.
   */
  probe(what: { readonly domain: string } | { readonly transport: Transport } | "all"): void {
    if (what === "all") this.#table.probeNow();
    else if ("transport" in what) this.#table.probeTransport(what.transport);
    else this.#table.probeDomain(this.#dispatcher.router.transports, what.domain);
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
    if (this.#stopped || this.#table.gateUntilMs(nowMs) > nowMs) return null;
    for (const { domain } of recipients) if (this.#table.isPaused(domain, nowMs)) return null;
    if (!this.#window.reserve(recipients, inlineBytes)) return null;
    return { owner: this.#options.owner, untilMs: this.#leaseNowMs() + this.#options.leaseMs };
  }

  /** Gives back what `reserve` took. */
  unreserve(recipients: readonly { readonly domain: string }[], inlineBytes: number): void {
    this.#window.unreserve(recipients, inlineBytes);
    this.#claimer.windowThinned(recipients);
  }

  /**
   * Starts on a message whose places were reserved and which is now durable. Where that took longer
   * than its lease it is left to the next claim.
   */
  enterReserved(claimed: ClaimedMessage, lease?: Lease): void {
    if (lease !== undefined && lease.untilMs <= this.#leaseNowMs()) {
      return this.unreserve(claimed.recipients, claimed.bytes?.length ?? 0);
    }
    if (this.#stopped) return this.#leaveToOthers(claimed);
    this.#dispatcher.enter(this.#window.enterReserved(claimed), claimed.recipients);
    this.#pump();
  }

  /** A commit that ended while the relay stops: `stop` gives it back, or has done so already. */
  #leaveToOthers(claimed: ClaimedMessage): void {
    this.unreserve(claimed.recipients, claimed.bytes?.length ?? 0);
    if (this.#hasDrained) this.#tasks.run(() => this.#abandonAll());
  }

  async #abandonAll(): Promise<void> {
    const { clock, owner, store } = this.#options;
    await store.abandon({ owner, nowMs: clock.now() });
  }

  /** Looks for due mail soon. Cheap to call often. */
  wake(): void {
    this.#claimer.wake();
  }

  /**
   * Stops claiming, gives attempts under way `limitMs` to end, then aborts them. Resolves when none
   * is left. What comes in meanwhile stays in the store.
   */
  async drain({ limitMs }: { limitMs: number }): Promise<void> {
    this.#stopped = true;
    this.#claimer.stop();
    this.#endWatch?.();
    this.#cancelReclaim?.();
    this.#lines.stop();
    const cancelAbort = this.#options.clock.schedule(limitMs, () => this.#abort.abort());
    await this.#tasks.idle();
    cancelAbort();
  }

  /** Drains, and gives back every claim. Resolves when nothing is claimed. */
  async stop({ limitMs }: { limitMs: number }): Promise<void> {
    await this.drain({ limitMs });
    this.#hasDrained = true;
    await this.#abandonAll();
  }

  /** The time by which leases are counted: no clock that is set ends them, or makes them longer. */
  #leaseNowMs(): number {
    return this.#leaseStartMs + this.#options.clock.monotonic();
  }

  #takeIn(claimed: readonly ClaimedMessage[]): void {
    for (const message of claimed) {
      const recipients = this.#overlaps.freeIn(message);
      if (recipients.length === 0) continue;
      this.#dispatcher.enter(this.#window.enter({ ...message, recipients }), recipients);
    }
    this.#pump();
  }

  /**
   * What contradicts that each recipient in the window has one holder of its next step and that
   * each line has something that wakes it, in words; empty when all is well. It looks at the whole
   * window, which takes some milliseconds at most.
   */
  audit(): string[] {
    const lines = [...this.#lines.destinations()].map(({ name, waiting }) => ({
      name: `the line at ${name}`,
      holdings: waiting,
    }));
    return [
      ...auditWindow(this.#window.entries, [
        ...lines,
        { name: "an attempt", holdings: this.#attempts.jobs },
        { name: "a look-up", holdings: this.#dispatcher.lookUps },
        { name: "a settlement", holdings: this.#settler.pending },
      ]),
      ...this.#lines.faults({ attempts: this.#attempts.jobs.size }),
    ];
  }

  /** Ends the wait of what expired, and forgets what nobody needs. */
  #keepHouse(nowMs: number): void {
    this.#table.forgetStale(nowMs);
    const expired = this.#lines.take(({ entry }) => entry.message.expiresAtMs <= nowMs);
    for (const job of expired) this.#dispatcher.expire(job);
    this.#pump();
    for (const fault of this.audit()) this.#trouble("delivery", new Error(fault));
  }

  #pump(): void {
    const { maxConcurrency } = this.#options;
    while (this.#attempts.jobs.size < maxConcurrency && !this.#stopped) {
      const turn = this.#lines.next();
      if (turn === null) return;
      const { destination, job } = turn;
      this.#tasks.run(() => this.#attempts.make(destination, job));
      this.#lines.place(destination);
    }
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
