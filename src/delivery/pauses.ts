/** A decision of an operator to leave something alone. */
export interface OperatorPause {
  readonly reason: string;
  readonly by: string;
  readonly sinceMs: number;
  /** Null until somebody resumes it. */
  readonly untilMs: number | null;
}

/** What is paused of one kind, by its name. */
export class PauseTable {
  readonly #byName = new Map<string, OperatorPause>();

  get isEmpty(): boolean {
    return this.#byName.size === 0;
  }

  /** The pause of `name`, if it is paused at `nowMs`. */
  get(name: string, nowMs: number): OperatorPause | null {
    const pause = this.#byName.get(name);
    if (pause === undefined) return null;
    if (pause.untilMs === null || pause.untilMs > nowMs) return pause;
    this.#byName.delete(name);
    return null;
  }

  set(name: string, pause: OperatorPause): void {
    this.#byName.set(name, pause);
  }

  /** False when it was not paused. */
  delete(name: string): boolean {
    return this.#byName.delete(name);
  }

  /** Everything that is paused at `nowMs`. */
  all(nowMs: number): ReadonlyMap<string, OperatorPause> {
    for (const name of this.#byName.keys()) this.get(name, nowMs);
    return this.#byName;
  }
}

/** How long mail that waits for an operator is put off at once. */
const STEP_MS = 15 * 60_000;

/** What operators paused: recipient domains, whose mail waits, and transports, which are not used. */
export class OperatorPauses {
  readonly domains = new PauseTable();
  readonly transports = new PauseTable();

  get isEmpty(): boolean {
    return this.domains.isEmpty && this.transports.isEmpty;
  }
}

/** Until when mail is put off for a pause; what is paused longer is put off again then. */
export function putOffUntilMs({ untilMs }: OperatorPause, nowMs: number): number {
  return Math.min(untilMs ?? Infinity, nowMs + STEP_MS);
}

/** A pause in one line, for replies and timelines. */
export function describePause({ by, reason }: OperatorPause): string {
  return reason === "" ? `Paused by ${by}` : `Paused by ${by}: ${reason}`;
}

/** Domains remembered for one transport; above it, it could be any. */
const MAX_DOMAINS = 1_000;

/** Which domains' mail was put off because of a transport, so that it can be made due again. */
export class PutOffDomains {
  readonly #byTransport = new Map<string, Set<string>>();

  note(transport: string, domain: string): void {
    let domains = this.#byTransport.get(transport);
    if (domains === undefined) {
      domains = new Set();
      this.#byTransport.set(transport, domains);
    }
    if (domains.size <= MAX_DOMAINS) domains.add(domain);
  }

  /** Forgets and returns the domains; `all` when there are too many to name. */
  take(transport: string): ReadonlySet<string> | "all" {
    const domains = this.#byTransport.get(transport) ?? new Set<string>();
    this.#byTransport.delete(transport);
    return domains.size > MAX_DOMAINS ? "all" : domains;
  }
}
