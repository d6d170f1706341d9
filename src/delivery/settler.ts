import { type Clock, sleep } from "../base/clock.ts";
import type { TaskGroup } from "../base/task_group.ts";
import { formatReply, type Reply, reply } from "../mail/reply.ts";
import type { EventSink, MessageEvent } from "../observe/events.ts";
import type { EventRecorder } from "../queue/outbox.ts";
import {
  type MessageRecord,
  type NewMessage,
  type OutboxEvent,
  type QueueStore,
  type RecipientRecord,
  type Settlement,
  StoreError,
  type TimelineEntry,
} from "../queue/store.ts";
import { bodyOf } from "./body.ts";
import {
  conclude,
  type Conclusion,
  conclusionEvent,
  kindOf,
  type RetryPolicy,
} from "./conclude.ts";
import type { Holding } from "./look_ups.ts";
import type { NotificationMaker } from "./notifications.ts";
import { remoteRecords } from "./remote_records.ts";
import type { DeliveryReport, Outcome } from "./transport.ts";
import type { WindowEntry } from "./window.ts";

/** What the settler needs and whom it tells. */
export interface SettlerOptions {
  readonly store: QueueStore;
  readonly clock: Clock;
  readonly emit: EventSink;
  /** Makes what the outbox keeps; absent when no events are kept. */
  readonly record?: EventRecorder;
  /** Names this node in its claims. */
  readonly owner: string;
  readonly retry: RetryPolicy;
  readonly notifications: NotificationMaker;
  readonly tasks: TaskGroup;
  /** Aborted when the relay stops and nothing may wait any longer. */
  readonly signal: AbortSignal;
  /** Recipients are settled, on disk, and out of the window. */
  readonly onSettled: (
    entry: WindowEntry,
    settled: {
      readonly recipients: readonly RecipientRecord[];
      /** When the first of them is due again; null when none is. */
      readonly nextAttemptAtMs: number | null;
      readonly notified: boolean;
    },
  ) => void;
}

/** Recipients of one message with the result of each. */
export interface Verdict {
  readonly recipients: readonly RecipientRecord[];
  /** One for each recipient, in order. */
  readonly outcomes: readonly Outcome[];
  readonly transport: string;
  readonly destination: string;
  /** Null when no attempt was made. */
  readonly report: DeliveryReport | null;
  /** What the attempt took; absent when none was made. */
  readonly durationMs?: number;
  readonly timeline: readonly TimelineEntry[];
  /** As in `conclude`. */
  readonly keepsPlace: boolean;
  /** Whether it is to be claimed again as soon as it is on disk. */
  readonly staysDue?: boolean;
  /** Whether it is no news: mail waits for a limit of ours. */
  readonly isQuiet?: boolean;
}

/** How long to wait before a settlement that the store could not take is tried again. */
const STORE_RETRY_MS = 1_000;

/**
 * Writes outcomes into the store, with their events and notifications. A settlement is repeated
 * until the store takes it: an outcome that is forgotten is a message sent twice.
 */
export class Settler {
  readonly #options: SettlerOptions;
  readonly #pending = new Set<Holding>();

  constructor(options: SettlerOptions) {
    this.#options = options;
  }

  /** What is settled and not on disk yet. */
  get pending(): Iterable<Holding> {
    return this.#pending;
  }

  /**
   * Settles recipients by their outcomes. Never throws: what cannot be settled for a fault of ours
   * is held, except that what was delivered stays that.
   */
  settle(entry: WindowEntry, verdict: Verdict): void {
    this.#orHold(entry, { verdict, step: () => this.#settle(entry, verdict) });
  }

  #settle(entry: WindowEntry, verdict: Verdict): void {
    const { clock, retry, store, tasks } = this.#options;
    const { message } = entry;
    const { recipients, report, keepsPlace, staysDue = false } = verdict;
    const nowMs = clock.now();
    const conclusions = recipients.map((recipient, position) => {
      const outcome = settling(verdict.outcomes[position] ?? missingOutcome);
      return conclude({ message, recipient, outcome, retry, keepsPlace, staysDue });
    });
    const finish = (notifications: readonly NewMessage[] | null): void => {
      if (notifications === null) return this.#settleUntold(entry, { verdict, conclusions, nowMs });
      this.#settleConcluded(entry, { verdict, conclusions, notifications, nowMs });
    };
    if (conclusions.every(({ news }) => news === null)) return finish([]);
    const made = this.#notify({ message, conclusions, report, body: bodyOf(store, entry), nowMs });
    if (!(made instanceof Promise)) return finish(made);
    const pending = this.#begin(entry, recipients);
    tasks.run(async () => {
      const notifications = await made;
      this.#pending.delete(pending);
      this.#orHold(entry, { verdict, step: () => finish(notifications) });
    });
  }

  /** Takes a step that ends in a settlement; one that throws has begun none. */
  #orHold(
    entry: WindowEntry,
    { verdict, step }: { verdict: Verdict; step: () => void },
  ): void {
    try {
      step();
    } catch (error) {
      this.#trouble("delivery", { error, messageId: entry.message.id });
      this.#write(entry, {
        recipients: verdict.recipients,
        settlement: heldAfterError(verdict),
        nextAttemptAtMs: null,
      });
    }
  }

  /** The notifications that conclusions owe the sender; null, and told, when they cannot be made. */
  #notify(
    facts: Parameters<NotificationMaker>[0],
  ): readonly NewMessage[] | null | Promise<readonly NewMessage[] | null> {
    const failed = (error: unknown): null => {
      this.#trouble("notification", { error, messageId: facts.message.id });
      return null;
    };
    try {
      const made = this.#options.notifications(facts);
      return made instanceof Promise ? made.catch(failed) : made;
    } catch (error) {
      return failed(error);
    }
  }

  /**
   * Settles what can be settled without a notification. A failure that its sender would not hear of
   * is a loss in silence, so an operator gets it; a warning of delay comes with a later attempt.
   */
  #settleUntold(
    entry: WindowEntry,
    { verdict, conclusions, nowMs }: { verdict: Verdict; conclusions: Conclusion[]; nowMs: number },
  ): void {
    const isLost = ({ news }: Conclusion): boolean => news === "failed" || news === "expired";
    const positions = conclusions.flatMap((one, position) => isLost(one) ? [] : [position]);
    if (positions.length === 0) this.note(entry, verdict.timeline);
    else {this.#settleConcluded(entry, {
        verdict: {
          ...verdict,
          recipients: positions.flatMap((at) => verdict.recipients[at] ?? []),
          outcomes: positions.map((at) => verdict.outcomes[at] ?? missingOutcome),
        },
        conclusions: positions.flatMap((at) => withoutWarning(conclusions[at])),
        notifications: [],
        nowMs,
      });}
    for (const { recipient, reply: failure } of conclusions.filter(isLost)) {
      const why = `Cannot notify the sender of this failure: ${formatReply(failure)}`;
      this.hold(entry, { recipients: [recipient], why: reply(451, "4.3.0", why) });
    }
  }

  #settleConcluded(
    entry: WindowEntry,
    { verdict, conclusions, notifications, nowMs }: {
      verdict: Verdict;
      conclusions: readonly Conclusion[];
      notifications: readonly NewMessage[];
      nowMs: number;
    },
  ): void {
    const { message } = entry;
    const { recipients, transport, timeline } = verdict;
    const told = eventsOf(conclusions, { message, verdict, nowMs });
    for (const event of told) this.#options.emit(event);
    const settlement = settlementOf(conclusions, {
      timeline: [...timeline, ...uncertainEntries(conclusions, { verdict, nowMs })],
      notifications,
      events: this.#recorded(told, message),
      records: remoteRecords(message.id, { verdict, nowMs }),
      ...(transport === "" ? {} : { transport }),
    });
    const dueMs = conclusions.flatMap(({ nextAttemptAtMs }) => nextAttemptAtMs ?? []);
    const nextAttemptAtMs = dueMs.length === 0 ? null : Math.min(...dueMs);
    this.#write(entry, { recipients, settlement, nextAttemptAtMs });
  }

  /** Puts recipients into an operator's hands; `kind` is the word for it in the timeline. */
  hold(
    entry: WindowEntry,
    { recipients, why, kind = "held" }: {
      recipients: readonly RecipientRecord[];
      why: Reply;
      kind?: "held" | "captured";
    },
  ): void {
    const reason = formatReply(why);
    const { clock, emit } = this.#options;
    const event = { type: "held", messageId: entry.message.id, by: "delivery", reason } as const;
    emit(event);
    this.#write(entry, {
      recipients,
      nextAttemptAtMs: null,
      settlement: {
        recipients: recipients.map(({ index }) => ({
          index,
          disposition: { kind: "hold" },
          reply: reason,
        })),
        timeline: [{
          atMs: clock.now(),
          kind,
          recipients: recipients.map(({ index }) => index),
          detail: { reason },
        }],
        notifications: [],
        events: this.#recorded([event], entry.message),
      },
    });
  }

  /** What the outbox keeps of events. */
  #recorded(told: readonly MessageEvent[], message: MessageRecord): OutboxEvent[] {
    const { record, clock } = this.#options;
    if (record === undefined) return [];
    const about = { message, atMs: clock.now() };
    return told.map((event) => record(event, about)).filter((made) => made !== null);
  }

  /** Adds to the timeline of a message whose recipients go on to another transport. */
  note(entry: WindowEntry, timeline: readonly TimelineEntry[]): void {
    const settlement = { recipients: [], timeline, notifications: [] };
    this.#write(entry, { recipients: [], settlement, nextAttemptAtMs: null });
  }

  #begin(entry: WindowEntry, recipients: readonly RecipientRecord[]): Holding {
    const pending = { entry, recipients };
    this.#pending.add(pending);
    return pending;
  }

  #write(
    entry: WindowEntry,
    { recipients, settlement, nextAttemptAtMs }: {
      recipients: readonly RecipientRecord[];
      settlement: Omit<Settlement, "messageId" | "owner">;
      nextAttemptAtMs: number | null;
    },
  ): void {
    const { owner, tasks, onSettled } = this.#options;
    const messageId = entry.message.id;
    const pending = this.#begin(entry, recipients);
    tasks.run(async () => {
      await this.#store({ messageId, owner, ...settlement });
      this.#pending.delete(pending);
      const notified = settlement.notifications.length > 0;
      onSettled(entry, { recipients, nextAttemptAtMs, notified });
    });
  }

  async #store(settlement: Settlement): Promise<void> {
    const { store, clock, signal } = this.#options;
    let mayBeDone = false;
    for (;;) {
      try {
        return await store.settle(mayBeDone ? { ...settlement, again: true } : settlement);
      } catch (error) {
        mayBeDone ||= error instanceof StoreError && error.mayBeDone;
        this.#trouble("queue", { error, messageId: settlement.messageId });
        if (signal.aborted) return;
      }
      await sleep(clock, { delayMs: STORE_RETRY_MS, signal }).catch(() => {});
    }
  }

  #trouble(
    component: string,
    { error, messageId }: { error: unknown; messageId: string },
  ): void {
    const message = error instanceof Error ? error.message : String(error);
    this.#options.emit({
      type: "trouble",
      level: "error",
      component,
      message,
      messageId,
      cause: error,
    });
  }
}

/** What is told of conclusions; nothing of waiting where that is no news. */
function eventsOf(
  conclusions: readonly Conclusion[],
  { message, verdict, nowMs }: { message: MessageRecord; verdict: Verdict; nowMs: number },
): MessageEvent[] {
  const { transport, destination, report, durationMs } = verdict;
  return conclusions.flatMap((conclusion, position) => {
    if (verdict.isQuiet === true && conclusion.disposition.kind === "retry") return [];
    const kind = kindOf(settling(verdict.outcomes[position] ?? missingOutcome));
    const about = { message, transport, destination, report, durationMs };
    return [conclusionEvent({ ...about, conclusion, kind, nowMs })];
  });
}

/** The conclusion without the mark that its sender was warned of the delay. */
function withoutWarning(conclusion: Conclusion | undefined): Conclusion[] {
  if (conclusion === undefined) return [];
  const { disposition } = conclusion;
  if (disposition.kind !== "retry") return [conclusion];
  const { delayNotified: _, ...quiet } = disposition;
  return [{ ...conclusion, disposition: quiet }];
}

/** What was decided about recipients that may have been delivered, when it is not a new attempt. */
function uncertainEntries(
  conclusions: readonly Conclusion[],
  { verdict: { outcomes }, nowMs: atMs }: { verdict: Verdict; nowMs: number },
): TimelineEntry[] {
  const reason = "It may have been delivered: the connection broke after the end of the message";
  const held: number[] = [];
  const assumed: number[] = [];
  conclusions.forEach(({ recipient, disposition }, position) => {
    if (outcomes[position]?.kind !== "uncertain") return;
    if (disposition.kind === "hold") held.push(recipient.index);
    else if (disposition.kind === "final" && disposition.state === "delivered") {
      assumed.push(recipient.index);
    }
  });
  return [
    ...held.length === 0 ? [] : [{ atMs, kind: "held", recipients: held, detail: { reason } }],
    ...assumed.length === 0
      ? []
      : [{ atMs, kind: "assumed_delivered", recipients: assumed, detail: { reason } }],
  ];
}

function settlementOf(
  conclusions: readonly Conclusion[],
  rest: Pick<Settlement, "timeline" | "notifications" | "records" | "transport"> & {
    readonly events: OutboxEvent[];
  },
): Omit<Settlement, "messageId" | "owner"> {
  const recipients = conclusions.map(({ recipient, disposition, reply }) => ({
    index: recipient.index,
    disposition,
    reply: formatReply(reply),
  }));
  return { recipients, ...rest };
}

/** What stands when conclusions could not be drawn from outcomes. */
function heldAfterError(
  { recipients, outcomes, timeline }: Verdict,
): Omit<Settlement, "messageId" | "owner"> {
  const held = { reply: formatReply(INTERNAL_ERROR), disposition: { kind: "hold" } } as const;
  return {
    recipients: recipients.map(({ index }, position) => {
      const outcome = outcomes[position];
      if (outcome?.kind !== "delivered") return { index, ...held };
      const disposition = { kind: "final", state: "delivered" } as const;
      return { index, disposition, reply: formatReply(outcome.reply) };
    }),
    timeline,
    notifications: [],
  };
}

const INTERNAL_ERROR = reply(451, "4.3.0", "Internal error, see the relay's log");

const missingOutcome: Outcome = { kind: "temporary", reply: INTERNAL_ERROR };

/** No other transport is left for an unsuitable message: it is permanent. */
function settling(outcome: Outcome): Exclude<Outcome, { kind: "unsuitable" }> {
  return outcome.kind === "unsuitable" ? { kind: "permanent", reply: outcome.reply } : outcome;
}
