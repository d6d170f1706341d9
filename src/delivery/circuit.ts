/** How long something that failed is left alone. */
export interface BackoffLimits {
  /** After the first failure; doubles with each further one. */
  readonly downMs: number;
  /** The longest. */
  readonly maxDownMs: number;
}

/** Whether something may be used. */
export type CircuitState =
  | { readonly kind: "up" }
  | { readonly kind: "down"; readonly untilMs: number; readonly reason: string }
  /** The time is over: one attempt finds out. */
  | { readonly kind: "probing"; readonly reason: string };

const UP: CircuitState = { kind: "up" };

/**
 * Whether a way out works: up, down until a time, or to be probed. One circuit serves one
 * destination; another the whole transport, for trouble that no destination is to blame for.
 */
export class Circuit {
  readonly #limits: BackoffLimits;
  #failures = 0;
  #failedAtMs = -Infinity;
  #downUntilMs = 0;
  #reason = "";

  constructor(limits: BackoffLimits) {
    this.#limits = limits;
  }

  get isUp(): boolean {
    return this.#failures === 0;
  }

  state(nowMs: number): CircuitState {
    if (this.#failures === 0) return UP;
    if (nowMs >= this.#downUntilMs) return { kind: "probing", reason: this.#reason };
    return { kind: "down", untilMs: this.#downUntilMs, reason: this.#reason };
  }

  /** Something got through. Returns whether it had been down. */
  close(): boolean {
    const wasDown = this.#failures > 0;
    this.#failures = 0;
    return wasDown;
  }

  /**
   * An attempt that began at `startedAtMs` failed. Returns when to try again, or null when it is
   * part of a failure already known: of many attempts that fail together the first one counts.
   */
  open(
    { startedAtMs, nowMs, reason, retryAfterMs }: {
      startedAtMs: number;
      nowMs: number;
      reason: string;
      retryAfterMs?: number;
    },
  ): number | null {
    if (startedAtMs <= this.#failedAtMs) return null;
    const waitMs = Math.min(this.#limits.downMs * 2 ** this.#failures, this.#limits.maxDownMs);
    this.#failures++;
    this.#failedAtMs = nowMs;
    this.#reason = reason;
    this.#downUntilMs = nowMs + Math.max(waitMs, retryAfterMs ?? 0);
    return this.#downUntilMs;
  }

  /** Whether it failed so long ago that the failure tells nothing any more. */
  isStale(nowMs: number): boolean {
    return this.#failures > 0 && nowMs > this.#downUntilMs + 2 * this.#limits.maxDownMs;
  }

  /** Lets the next attempt find out now. */
  probeNow(): void {
    this.#downUntilMs = 0;
  }
}
