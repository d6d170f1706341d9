/** Where mail goes: destinations and the transports that lead there. */

/** Why something does not move although nothing is wrong with it. */
export interface OperatorPause {
  readonly reason: string;
  readonly by: string;
  readonly sinceMs: number;
  /** Null until somebody resumes it. */
  readonly untilMs: number | null;
}

/** What somebody asks for who pauses something. */
export type PauseRequest = Pick<OperatorPause, "reason" | "by" | "untilMs">;

export const WAY_STATES = ["up", "down", "probing", "paused"] as const;

/** `probing`: it was down, and the next attempt finds out. */
export type WayState = typeof WAY_STATES[number];

/** Where mail goes, as the scheduler sees it now: what is in use, in trouble, or was used of late. */
export interface DestinationsPort {
  list(): readonly DestinationStatus[];
  /**
   * Mail for a recipient domain waits in the queue, regardless of its transport, until the time is
   * over or it is resumed. Survives a restart.
   */
  pause(domain: string, request: PauseRequest): Promise<void>;
  /** Ends a pause and makes what waited due. False when the domain was not paused. */
  resume(domain: string, request: { readonly by: string }): Promise<boolean>;
  /** Domains that are paused, also when nothing waits for them. */
  paused(): ReadonlyMap<string, OperatorPause>;
  /**
   * Forgets that it was down and makes its queued mail due now.
   *
   * @returns how many messages became due.
   */
  flush(domain: string, request: { readonly by: string }): Promise<number>;
}

export interface DestinationStatus {
  readonly transport: string;
  /** A domain for `mx`; the one next hop for transports that have only one. */
  readonly name: string;
  /** Whether `name` is a recipient domain, so that it can be paused and flushed. */
  readonly isDomain: boolean;
  readonly state: WayState;
  /** Attempts allowed at once now. */
  readonly concurrency: number;
  /** The most it may grow to. */
  readonly maxConcurrency: number;
  readonly running: number;
  /** Attempts that wait for their turn in the active window; the queue may hold more. */
  readonly waiting: number;
  /** When it is tried again; null when it is up. */
  readonly retryAtMs: number | null;
  readonly lastError: { readonly text: string; readonly atMs: number } | null;
  readonly lastSuccessAtMs: number | null;
  /** What its last attempts took; null before the first. */
  readonly latency: Latency | null;
  readonly pause: OperatorPause | null;
  /** What the rules of the configuration allow, and what it taught. */
  readonly shaping: ShapingStatus;
}

/** What holds a destination back that works. */
export interface ShapingStatus {
  /** In words, with the rule that says so. */
  readonly limits: readonly { readonly rule: string; readonly limit: string }[];
  /** The pace that it taught by asking for less; null when it did not of late. */
  readonly learned: LearnedPace | null;
  /** When a limit lets the next attempt begin; null when it may now, or when one has to end first. */
  readonly nextAtMs: number | null;
}

/** How fast mail goes to a destination that asked for less. */
export interface LearnedPace {
  readonly perMinute: number;
  readonly sinceMs: number;
  /** What it answered. */
  readonly reason: string;
}

/** What the last attempts at a destination took. */
export interface Latency {
  readonly medianMs: number;
  /** Of twenty attempts one took longer. */
  readonly p95Ms: number;
  /** How many attempts that says. */
  readonly attempts: number;
}

/** A message that shows whether a way works. */
export interface TestRequest {
  readonly to: string;
  /** Reverse-path and author; absent means the postmaster of the relay. */
  readonly from?: string;
  readonly by: string;
}

export type TestResult =
  | { readonly kind: "queued"; readonly id: string }
  | { readonly kind: "refused"; readonly reason: string };

/** The transports. */
export interface TransportsPort {
  list(): readonly TransportStatus[];
  /** Mail takes the next transport of its route, or waits. Survives a restart. */
  pause(name: string, request: PauseRequest): Promise<void>;
  /** False when it was not paused. */
  resume(name: string, request: { readonly by: string }): Promise<boolean>;
  /** Forgets that it, and its destinations, were down. */
  reset(name: string, request: { readonly by: string }): Promise<void>;
  /** Puts a message into the queue that takes this way, regardless of the routes. */
  test(name: string, request: TestRequest): Promise<TestResult>;
}

export interface TransportStatus {
  readonly name: string;
  /** `mx`, `smarthost`, `lmtp` or the name of a provider. */
  readonly kind: string;
  readonly state: WayState;
  readonly retryAtMs: number | null;
  readonly lastError: { readonly text: string; readonly atMs: number } | null;
  readonly lastSuccessAtMs: number | null;
  readonly pause: OperatorPause | null;
  readonly running: number;
  readonly waiting: number;
  /** Destinations known, and how many of them are down. */
  readonly destinations: number;
  readonly destinationsDown: number;
  /** Outcomes since the start. */
  readonly outcomes: Readonly<Record<"delivered" | "deferred" | "bounced" | "uncertain", number>>;
  /** Names of the routes that use it. */
  readonly routes: readonly string[];
}
