import type { Clock } from "../base/clock.ts";
import { formatReply } from "../mail/reply.ts";
import type { EventSink } from "../observe/events.ts";
import type { Destination, Ticket } from "./destination.ts";
import type { DestinationTable } from "./destination_table.ts";
import { isBlame, isLimited } from "./failover.ts";
import type { DeliveryReport, Outcome, RateAllowance, Transport } from "./transport.ts";

/** What attempts are learnt from, and who is told. */
export interface LearnerOptions<Job> {
  readonly clock: Clock;
  readonly emit: EventSink;
  readonly table: DestinationTable<Job>;
  /** The transports of each route in force. */
  readonly ways: () => readonly (readonly Transport[])[];
  /** Aborted when attempts end for a reason of ours, which says nothing of their destination. */
  readonly signal: AbortSignal;
  /** Something that is down may be tried again at this time; all of a transport, or one place. */
  readonly onDown: (retryAtMs: number, scope: "transport" | "destination") => void;
  /** Something is up again. */
  readonly onUp: () => void;
}

/** An attempt and what it came to. */
export interface AttemptFacts {
  readonly report: DeliveryReport;
  readonly ticket: Ticket;
}

/** How long a peer is left alone that refused without a word on when to come again. */
const SHORT_REST_MS = 1_000;

type Broken = Extract<Outcome, { kind: "broken" }> & {
  readonly scope: "destination" | "transport";
};
type Limited = Extract<Outcome, { kind: "temporary" }>;
type Pausing = Limited & { readonly pausesMs: number };

/** Adjusts what is known of destinations to what attempts met. */
export class Learner<Job> {
  readonly #options: LearnerOptions<Job>;

  constructor(options: LearnerOptions<Job>) {
    this.#options = options;
  }

  learn(destination: Destination<Job>, facts: AttemptFacts): void {
    if (this.#options.signal.aborted) return;
    const { report: { outcomes, rate, remote }, ticket } = facts;
    if (rate !== undefined) this.#limit(destination, { ...rate, number: ticket.number });
    const broken = outcomes.find(isBroken);
    if (broken !== undefined) return this.#learnFailure(destination, { broken, ticket });
    const pausing = outcomes.find(isPausing);
    if (pausing !== undefined) return this.#pause(destination, { pausing, ticket });
    const limited = outcomes.find(isLimited);
    if (limited !== undefined && !isBlame(outcomes)) {
      return this.#learnLimit(destination, { limited, ticket });
    }
    if (outcomes.some(isTrouble)) return destination.troubled();
    if (remote !== null && destination.succeeded()) this.#tellUp(destination);
  }

  /** A refusal that says when to come again is a limit; many that do not are a failure. */
  #learnLimit(
    destination: Destination<Job>,
    { limited: { reply, retryAfterMs, slowsDown }, ticket }: { limited: Limited; ticket: Ticket },
  ): void {
    const { number, startedAtMs } = ticket;
    const isPersistent = destination.refused();
    const nowMs = this.#options.clock.now();
    destination.limited({ text: reply.lines.join(" "), atMs: nowMs });
    if (retryAfterMs !== undefined || slowsDown === true) {
      destination.slowDown({ nowMs, startedAtMs, reason: formatReply(reply) });
    }
    if (retryAfterMs !== undefined) {
      return this.#limit(destination, { remaining: 0, resetAfterMs: retryAfterMs, number });
    }
    if (!isPersistent) {
      return this.#limit(destination, { remaining: 0, resetAfterMs: SHORT_REST_MS, number });
    }
    this.#open(destination, { scope: "destination", ticket, reason: reply.lines.join(" ") });
  }

  /** It wants nothing for a while. */
  #pause(
    destination: Destination<Job>,
    { pausing: { reply, pausesMs }, ticket }: { pausing: Pausing; ticket: Ticket },
  ): void {
    const reason = reply.lines.join(" ");
    this.#open(destination, { scope: "destination", ticket, reason, retryAfterMs: pausesMs });
  }

  #learnFailure(
    destination: Destination<Job>,
    { broken: { scope, reply, retryAfterMs }, ticket }: { broken: Broken; ticket: Ticket },
  ): void {
    const wait = retryAfterMs === undefined ? {} : { retryAfterMs };
    this.#open(destination, { scope, ticket, reason: reply.lines.join(" "), ...wait });
  }

  #open(
    destination: Destination<Job>,
    { scope, ticket: { epochs }, reason, retryAfterMs }: {
      scope: "transport" | "destination";
      ticket: Ticket;
      reason: string;
      retryAfterMs?: number;
    },
  ): void {
    const { clock, emit, table, ways, onDown } = this.#options;
    const { transport, name, circuit, transportCircuit } = destination;
    const nowMs = clock.now();
    const wait = retryAfterMs === undefined ? {} : { retryAfterMs };
    const isWhole = scope === "transport";
    const retryAtMs = (isWhole ? transportCircuit : circuit)
      .open({ epoch: epochs[scope], nowMs, reason, ...wait });
    if (retryAtMs === null) return;
    const place = { transport: transport.name, destination: isWhole ? "*" : name };
    emit({ type: "destination_down", ...place, reason, retryAtMs });
    table.closeGate(ways(), nowMs);
    onDown(retryAtMs, scope);
  }

  #limit(
    destination: Destination<Job>,
    { number, ...rate }: RateAllowance & { readonly number: number },
  ): void {
    destination.allowance.learn(rate, { nowMs: this.#options.clock.now(), number });
  }

  #tellUp({ transport: { name: transport }, name }: Destination<Job>): void {
    this.#options.emit({ type: "destination_up", transport, destination: name, reason: "" });
    this.#options.onUp();
  }
}

/** Whether other mail would fare the same. */
function isBroken(outcome: Outcome): outcome is Broken {
  return outcome.kind === "broken" && outcome.scope !== "message";
}

function isPausing(outcome: Outcome): outcome is Pausing {
  return outcome.kind === "temporary" && outcome.pausesMs !== undefined;
}

/** The peer answered, but wants less at once (RFC 5321 3.8 for 421), or answered too late. */
function isTrouble(outcome: Outcome): boolean {
  return outcome.kind === "uncertain" ||
    (outcome.kind === "temporary" && outcome.reply.code === 421);
}
