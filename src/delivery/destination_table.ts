import { Circuit, type CircuitState } from "./circuit.ts";
import { Destination, type DestinationLimits } from "./destination.ts";
import { describePause, type OperatorPauses, putOffUntilMs } from "./pauses.ts";
import type { Transport } from "./transport.ts";

/** Domains that are remembered as paused at once; above it they are found out one by one. */
const MAX_PAUSED = 10_000;

/** Idle destinations of one transport whose concurrency is remembered. */
const MAX_REMEMBERED = 1_000;

/** What stands before the reason in the reply of mail that waits for an operator. */
const PAUSED_CODES = "451 4.3.2";

/** A domain that need not be claimed before a time. */
export interface Pause {
  readonly untilMs: number;
  readonly reason: string;
}

/** What is only good while the clock was not set back. */
interface Since {
  readonly sinceMs: number;
}

/** All destinations that something waits for or is remembered of, and what is paused. */
export class DestinationTable<Job> {
  readonly #limits: DestinationLimits;
  readonly #operator: OperatorPauses;
  readonly #byTransport = new Map<Transport, Map<string, Destination<Job>>>();
  readonly #circuits = new Map<Transport, Circuit>();
  /** The lanes in use. */
  readonly #lanes = new Set<string>();
  readonly #paused = new Map<string, Pause & Since>();
  #gate: { readonly untilMs: number } & Since | null = null;

  constructor({ limits, operator }: { limits: DestinationLimits; operator: OperatorPauses }) {
    this.#limits = limits;
    this.#operator = operator;
  }

  *[Symbol.iterator](): Iterator<Destination<Job>> {
    for (const destinations of this.#byTransport.values()) yield* destinations.values();
  }

  /** The destination of `domain` under `transport`, made when it is not known yet. */
  of(transport: Transport, domain: string, lane = ""): Destination<Job> {
    let destinations = this.#byTransport.get(transport);
    if (destinations === undefined) {
      destinations = new Map();
      this.#byTransport.set(transport, destinations);
    }
    const name = transport.destinationOf(domain);
    const key = keyOf({ name, lane });
    let destination = destinations.get(key);
    if (destination === undefined) {
      if (lane !== "") this.#lanes.add(lane);
      const transportCircuit = this.#circuitOf(transport);
      destination = new Destination({
        ...{ transport, name, lane, transportCircuit },
        limits: this.#limits,
        pausedTransports: this.#operator.transports,
      });
      destinations.set(key, destination);
    }
    return destination;
  }

  /** Whether every transport of a route is down for a domain. */
  isClosed(
    { transports, domain }: { readonly transports: readonly Transport[]; readonly domain: string },
    nowMs: number,
  ): boolean {
    return transports.every((transport) => this.of(transport, domain).state(nowMs).kind === "down");
  }

  /** Drops an idle destination, unless there is room to remember the concurrency it earned. */
  forgetIfIdle(destination: Destination<Job>, nowMs: number): void {
    if (!destination.isIdle(nowMs)) return;
    const destinations = this.#byTransport.get(destination.transport);
    if (destinations === undefined) return;
    if (destination.hasGrown && destinations.size <= MAX_REMEMBERED) return;
    destinations.delete(keyOf(destination));
  }

  /** Forgets what destinations may do, as the rules have changed. */
  unshape(): void {
    for (const destination of this) destination.unshape();
  }

  /** Drops destinations of which nothing is known that still matters. */
  forgetStale(nowMs: number): void {
    for (const destinations of this.#byTransport.values()) {
      for (const [name, destination] of destinations) {
        const isUnused = destination.running === 0 && destination.waiting.length === 0;
        const tellsNothing = destination.circuit.isStale(nowMs) ||
          (destination.isIdle(nowMs) && !destination.hasGrown);
        if (isUnused && tellsNothing) destinations.delete(name);
      }
    }
  }

  /** Remembers that all ways for `domain` are closed until `untilMs`. */
  pause(domain: string, pause: Pause & Since): void {
    if (this.#paused.size < MAX_PAUSED || this.#paused.has(domain)) this.#paused.set(domain, pause);
  }

  isPaused(domain: string, nowMs: number): boolean {
    const pause = this.#paused.get(domain);
    if (pause !== undefined && isOn(pause, nowMs)) return true;
    return this.#operator.domains.get(domain, nowMs) !== null;
  }

  /** The domains that are paused at `nowMs`. */
  paused(nowMs: number): ReadonlyMap<string, Pause> {
    for (const [domain, pause] of this.#paused) {
      if (!isOn(pause, nowMs)) this.#paused.delete(domain);
    }
    if (this.#operator.domains.isEmpty) return this.#paused;
    const paused = new Map<string, Pause>(this.#paused);
    for (const [domain, pause] of this.#operator.domains.all(nowMs)) {
      paused.set(domain, {
        untilMs: putOffUntilMs(pause, nowMs),
        reason: `${PAUSED_CODES} ${describePause(pause)}`,
      });
    }
    return paused;
  }

  /**
   * Until when every way out is closed, whatever the recipient, so that nothing need be claimed;
   * 0 when some way may be open.
   */
  gateUntilMs(nowMs: number): number {
    return this.#gate !== null && isOn(this.#gate, nowMs) ? this.#gate.untilMs : 0;
  }

  /** Closes the gate if no transport of any route can reach anything before some time. */
  closeGate(routes: readonly (readonly Transport[])[], nowMs: number): void {
    let untilMs = Infinity;
    for (const transports of routes) {
      if (transports.length === 0) return; // its mail rests here, whatever the transports do
      for (const transport of transports) {
        const state = this.#wholeState(transport, nowMs);
        if (state?.kind !== "down") return;
        untilMs = Math.min(untilMs, state.untilMs);
      }
    }
    if (untilMs !== Infinity) this.#gate = { untilMs, sinceMs: nowMs };
  }

  /** Lets everything that is down be probed now. */
  probeNow(): void {
    this.forgetPauses();
    for (const circuit of this.#circuits.values()) circuit.probeNow();
    for (const destination of this) destination.circuit.probeNow();
  }

  /** Forgets which domains need not be claimed; those that are down are found out again. */
  forgetPauses(): void {
    this.#gate = null;
    this.#paused.clear();
  }

  /** The circuit of a whole transport. */
  transportState(transport: Transport, nowMs: number): CircuitState {
    return this.#circuitOf(transport).state(nowMs);
  }

  /** What is known of the destination of `domain`: one for each of its lines. */
  *find(transport: Transport, domain: string): Iterable<Destination<Job>> {
    const name = transport.destinationOf(domain);
    const destinations = this.#byTransport.get(transport);
    const ordinary = destinations?.get(name);
    if (ordinary !== undefined) yield ordinary;
    for (const lane of this.#lanes) {
      const destination = destinations?.get(keyOf({ name, lane }));
      if (destination !== undefined) yield destination;
    }
  }

  /** Lets the ways of these transports to a domain be probed now. */
  probeDomain(transports: Iterable<Transport>, domain: string): void {
    for (const transport of transports) {
      this.#circuits.get(transport)?.probeNow();
      for (const { circuit } of this.find(transport, domain)) circuit.probeNow();
    }
  }

  /** Lets a transport and its destinations be probed now. */
  probeTransport(transport: Transport): void {
    this.forgetPauses();
    this.#circuits.get(transport)?.probeNow();
    for (const destination of this.#byTransport.get(transport)?.values() ?? []) {
      destination.circuit.probeNow();
    }
  }

  /** Forgets destinations of other transports; nothing must wait there. */
  keepOnly(transports: ReadonlySet<Transport>): void {
    for (const transport of this.#byTransport.keys()) {
      if (!transports.has(transport)) this.#byTransport.delete(transport);
    }
    for (const transport of this.#circuits.keys()) {
      if (!transports.has(transport)) this.#circuits.delete(transport);
    }
  }

  #wholeState(transport: Transport, nowMs: number): CircuitState | null {
    const whole = this.transportState(transport, nowMs);
    if (whole.kind === "down" || transport.sharedDestination === undefined) return whole;
    const shared = this.#byTransport.get(transport)?.get(transport.sharedDestination);
    return shared?.circuit.state(nowMs) ?? null;
  }

  #circuitOf(transport: Transport): Circuit {
    let circuit = this.#circuits.get(transport);
    if (circuit === undefined) {
      circuit = new Circuit(this.#limits);
      this.#circuits.set(transport, circuit);
    }
    return circuit;
  }
}

function isOn(
  { untilMs, sinceMs }: { readonly untilMs: number } & Since,
  nowMs: number,
): boolean {
  return untilMs > nowMs && sinceMs <= nowMs;
}

function keyOf({ name, lane }: { readonly name: string; readonly lane: string }): string {
  return lane === "" ? name : `${name}\0${lane}`;
}
