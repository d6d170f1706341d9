import { Fifo } from "../base/fifo.ts";
import { Allowance } from "./allowance.ts";
import { type BackoffLimits, Circuit, type CircuitState, UP } from "./circuit.ts";
import { describePause, type PauseTable, putOffUntilMs } from "./pauses.ts";
import { Gate } from "./shaping/gate.ts";
import { Recent } from "./shaping/recent.ts";
import type { Transport } from "./transport.ts";

/** How concurrency to one destination moves, and how a dead one is left alone. */
export interface DestinationLimits extends BackoffLimits {
  /** Attempts at once to a destination nothing is known of. */
  readonly initialConcurrency: number;
}

/** What an attempt takes with it. */
export interface Ticket {
  /** Its number among those of the destination. */
  readonly number: number;
  readonly startedAtMs: number;
  /** What it was let through by. */
  readonly gate: Gate | null;
  /** Those of the circuits when it began. */
  readonly epochs: { readonly destination: number; readonly transport: number };
}

/** What the next attempt at a destination waits for. */
export type Standing =
  /** Nothing: it may begin. */
  | { readonly kind: "ready" }
  /** A limit that is over at that time. */
  | { readonly kind: "resting"; readonly untilMs: number }
  /** The end of an attempt of its own: as many run as may. */
  | { readonly kind: "busy" }
  /** The end of an attempt at another destination, with which it shares a limit. */
  | { readonly kind: "blocked" }
  /** It is left alone for so long that nothing waits for it here. */
  | { readonly kind: "down"; readonly untilMs: number; readonly reason: string };

/** Where a line may stand: nothing waits at a destination that is down. */
export type Place = Exclude<Standing["kind"], "down">;

const READY: Standing = { kind: "ready" };
const BUSY: Standing = { kind: "busy" };
const BLOCKED: Standing = { kind: "blocked" };

/** A limit that is over sooner is waited for in line; for a later one mail goes elsewhere. */
const LONGEST_REST_MS = 60_000;
/** Refusals in a row, without a word on when to come again, that count as a failure. */
const PATIENCE = 5;

/**
 * What is waiting for, and known about, one destination of one transport. Concurrency grows by
 * one with each run of successes as long as itself and is halved by trouble. A destination that
 * fails altogether is left alone and then probed by one attempt, not by a crowd.
 */
export class Destination<Job> {
  readonly transport: Transport;
  readonly name: string;
  /** Which of the destination's lines this is; empty for the ordinary one. See `Shaper.laneOf`. */
  readonly lane: string;
  readonly waiting: Fifo<Job> = new Fifo();
  /** Where its line stands; null while nothing waits. Only `Lines` changes it. */
  place: Place | null = null;
  /** Whether this destination can be reached. */
  readonly circuit: Circuit;
  /** Whether its transport works at all; shared by all destinations of the transport. */
  readonly transportCircuit: Circuit;
  /** How much it takes before a limit is reached. */
  readonly allowance: Allowance = new Allowance();
  /** What it may do by the rules, and the pace it taught; null when nothing is limited. */
  #gate: Gate | null = null;
  #isShaped = false;
  readonly #recent = new Recent();
  readonly #pausedTransports: PauseTable;
  readonly #initialConcurrency: number;
  #concurrency: number;
  #running = 0;
  #successes = 0;
  #refusals = 0;
  #lastLimit: { readonly text: string; readonly atMs: number } | null = null;

  constructor(
    { transport, name, lane, limits, transportCircuit, pausedTransports }: {
      transport: Transport;
      name: string;
      lane: string;
      limits: DestinationLimits;
      transportCircuit: Circuit;
      pausedTransports: PauseTable;
    },
  ) {
    this.transport = transport;
    this.name = name;
    this.lane = lane;
    this.circuit = new Circuit(limits);
    this.transportCircuit = transportCircuit;
    this.#pausedTransports = pausedTransports;
    this.#initialConcurrency = Math.min(limits.initialConcurrency, transport.maxConcurrency);
    this.#concurrency = this.#initialConcurrency;
  }

  /** Attempts under way. */
  get running(): number {
    return this.#running;
  }

  /** Attempts allowed at once while it is up. */
  get concurrency(): number {
    return this.#concurrency;
  }

  state(nowMs: number): CircuitState {
    const pause = this.#pausedTransports.get(this.transport.name, nowMs);
    if (pause !== null) {
      return { kind: "down", untilMs: putOffUntilMs(pause, nowMs), reason: describePause(pause) };
    }
    const transport = this.transportCircuit.state(nowMs);
    if (transport.kind === "down") return transport;
    const untilMs = this.allowance.restUntilMs(nowMs);
    if (untilMs > nowMs + LONGEST_REST_MS) {
      return { kind: "down", untilMs, reason: this.#lastLimit?.text ?? "Rate limit reached" };
    }
    return this.circuit.state(nowMs);
  }

  /** What it answered last when it wanted less; no outcome tells, as that mail goes elsewhere. */
  get lastLimit(): { readonly text: string; readonly atMs: number } | null {
    return this.#lastLimit;
  }

  /** It answered that it wants less for now. */
  limited(answer: { readonly text: string; readonly atMs: number }): void {
    this.#lastLimit = answer;
  }

  get gate(): Gate | null {
    return this.#gate;
  }

  /** Whether the rules were asked what it may do. */
  get isShaped(): boolean {
    return this.#isShaped;
  }

  /** Says what it may do by the rules. */
  shape(gate: Gate | null): void {
    this.#gate = this.#gate?.withLimitsOf(gate) ?? gate;
    this.#isShaped = true;
  }

  /** Forgets what the rules said, as they have changed, but not the pace it taught. */
  unshape(): void {
    this.#gate = this.#gate?.withLimitsOf(null) ?? null;
    this.#isShaped = false;
  }

  /** It asked for less at a time. */
  slowDown(
    { nowMs, startedAtMs, reason }: { nowMs: number; startedAtMs: number; reason: string },
  ): void {
    this.#gate ??= new Gate([]);
    const observedPerMs = this.#recent.perMs(nowMs);
    this.#gate.slowDown({ nowMs, startedAtMs, reason, observedPerMs });
  }

  /**
   * When a limit that holds it back is over, Infinity when another attempt must end first; in the
   * past when nothing holds it back.
   */
  restUntilMs(nowMs: number): number {
    return Math.max(this.allowance.restUntilMs(nowMs), this.#gate?.readyAtMs(nowMs) ?? 0);
  }

  /** When a limit it reached is over, if mail is to wait for that in line; else null. */
  shortRestUntilMs(nowMs: number): number | null {
    if (!this.allowance.isSpent(nowMs) || this.state(nowMs).kind === "down") return null;
    return this.allowance.restUntilMs(nowMs);
  }

  /** What the next attempt waits for. */
  standing(nowMs: number): Standing {
    const isUp = this.circuit.isUp && this.transportCircuit.isUp &&
      this.#pausedTransports.isEmpty && !this.allowance.isSpent(nowMs);
    const state = isUp ? UP : this.state(nowMs);
    if (state.kind === "down") return state;
    if (this.#running >= (state.kind === "up" ? this.#concurrency : 1)) return BUSY;
    const readyAtMs = this.restUntilMs(nowMs);
    if (readyAtMs <= nowMs) return READY;
    return readyAtMs === Infinity ? BLOCKED : { kind: "resting", untilMs: readyAtMs };
  }

  /** Nothing waits or runs, and it is not known to be down or at a limit. */
  isIdle(nowMs: number): boolean {
    return this.#running === 0 && this.waiting.length === 0 && this.circuit.isUp &&
      !this.allowance.isSpent(nowMs) && (this.#gate?.isForgettable(nowMs) ?? true);
  }

  /** It has earned more than it started with. */
  get hasGrown(): boolean {
    return this.#concurrency !== this.#initialConcurrency;
  }

  /** An attempt begins; the ticket is for `end`. */
  begin(nowMs: number): Ticket {
    const gate = this.#gate;
    this.#running++;
    this.#recent.add(nowMs);
    gate?.begin(nowMs);
    const epochs = { destination: this.circuit.epoch, transport: this.transportCircuit.epoch };
    return { number: this.allowance.take(), startedAtMs: nowMs, gate, epochs };
  }

  end({ gate }: Ticket): void {
    this.#running--;
    gate?.end();
  }

  /** An attempt got an answer. Returns whether the destination had been down. */
  succeeded(): boolean {
    this.#refusals = 0;
    const transportWasDown = this.transportCircuit.close();
    if (this.circuit.close() || transportWasDown) {
      this.#concurrency = this.#initialConcurrency;
      this.#successes = 0;
      return true;
    }
    if (++this.#successes >= this.#concurrency) {
      this.#successes = 0;
      if (this.#concurrency < this.transport.maxConcurrency) this.#concurrency++;
    }
    return false;
  }

  /** The destination answered, but asked for less at once. */
  troubled(): void {
    this.#successes = 0;
    this.#concurrency = Math.max(1, this.#concurrency >> 1);
  }

  /**
   * It refused an attempt whatever the message. Returns whether it does nothing else any more, so
   * that it is to be left alone.
   */
  refused(): boolean {
    this.troubled();
    return ++this.#refusals >= PATIENCE;
  }
}
