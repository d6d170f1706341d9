import { Fifo } from "../base/fifo.ts";
import { type BackoffLimits, Circuit, type CircuitState } from "./circuit.ts";
import { describePause, type PauseTable, putOffUntilMs } from "./pauses.ts";
import type { Transport } from "./transport.ts";

/** How concurrency to one destination moves, and how a dead one is left alone. */
export interface DestinationLimits extends BackoffLimits {
  /** Attempts at once to a destination nothing is known of. */
  readonly initialConcurrency: number;
}

/**
 * What is waiting for, and known about, one destination of one transport. Concurrency grows by
 * one with each run of successes as long as itself and is halved by trouble. A destination that
 * fails altogether is left alone and then probed by one attempt, not by a crowd.
 */
export class Destination<Job> {
  readonly transport: Transport;
  readonly name: string;
  readonly waiting: Fifo<Job> = new Fifo();
  /** Whether this destination can be reached. */
  readonly circuit: Circuit;
  /** Whether its transport works at all; shared by all destinations of the transport. */
  readonly transportCircuit: Circuit;
  readonly #pausedTransports: PauseTable;
  readonly #initialConcurrency: number;
  #concurrency: number;
  #running = 0;
  #successes = 0;

  constructor(
    { transport, name, limits, transportCircuit, pausedTransports }: {
      transport: Transport;
      name: string;
      limits: DestinationLimits;
      transportCircuit: Circuit;
      pausedTransports: PauseTable;
    },
  ) {
    this.transport = transport;
    this.name = name;
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
    return transport.kind === "down" ? transport : this.circuit.state(nowMs);
  }

  /** Whether another attempt may start now. */
  hasRoom(nowMs: number): boolean {
    const isUp = this.circuit.isUp && this.transportCircuit.isUp && this.#pausedTransports.isEmpty;
    if (isUp) return this.#running < this.#concurrency;
    const { kind } = this.state(nowMs);
    return kind === "up"
      ? this.#running < this.#concurrency
      : kind === "probing" && this.#running === 0;
  }

  /** Nothing waits or runs, and it is not known to be down. */
  get isIdle(): boolean {
    return this.#running === 0 && this.waiting.length === 0 && this.circuit.isUp;
  }

  /** It has earned more than it started with. */
  get hasGrown(): boolean {
    return this.#concurrency !== this.#initialConcurrency;
  }

  begin(): void {
    this.#running++;
  }

  end(): void {
    this.#running--;
  }

  /** An attempt got an answer. Returns whether the destination had been down. */
  succeeded(): boolean {
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
}
