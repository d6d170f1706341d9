import { Until } from "../base/clock.ts";

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

const LONGEST_ASKED_MS = 24 * 60 * 60_000;
/** It works, as far as anybody knows. */
export const UP: CircuitState = { kind: "up" };

/**
 * Whether a transport works: up, down until a time, or to be probed. One circuit serves one
 * destination; another the whole transport, for trouble that no destination is to blame for.
 */
export class Circuit {
  readonly #limits: BackoffLimits;
  readonly #down = new Until();
  #failures = 0;
  /** How often it opened. */
  #epoch = 0;
  #reason = "";

  constructor(limits: BackoffLimits) {
    this.#limits = limits;
  }

  get isUp(): boolean {
    return this.#failures === 0;
  }

  /** Changes when it opens; an attempt keeps it, for `open`. */
  get epoch(): number {
    return this.#epoch;
  }

  state(nowMs: number): CircuitState {
    if (this.#failures === 0) return UP;
    const untilMs = this.#down.at(nowMs);
    if (nowMs >= untilMs) return { kind: "probing", reason: this.#reason };
    return { kind: "down", untilMs, reason: this.#reason };
  }

  /** Something got through. Returns whether it had been down. */
  close(): boolean {
    const wasDown = this.#failures > 0;
    this.#failures = 0;
    return wasDown;
  }

  /**
   * An attempt that began at `epoch` failed. Returns when to try again, or null when it is part of
   * a failure already known: of many attempts that fail together the first one counts.
   */
  open(
    { epoch, nowMs, reason, retryAfterMs = 0 }: {
      epoch: number;
      nowMs: number;
      reason: string;
      /** How long the peer asked to be left alone; believed up to a day. */
      retryAfterMs?: number;
    },
  ): number | null {
    if (epoch !== this.#epoch) return null;
    const waitMs = Math.min(this.#limits.downMs * 2 ** this.#failures, this.#limits.maxDownMs);
    const untilMs = nowMs + Math.max(waitMs, Math.min(retryAfterMs, LONGEST_ASKED_MS));
    this.#failures++;
    this.#epoch++;
    this.#reason = reason;
    this.#down.set(untilMs, nowMs);
    return untilMs;
  }

  /** Whether it failed so long ago that the failure tells nothing any more. */
  isStale(nowMs: number): boolean {
    return this.#failures > 0 && nowMs > this.#down.at(nowMs) + 2 * this.#limits.maxDownMs;
  }

  /** Lets the next attempt find out now. */
  probeNow(): void {
    this.#down.set(0, 0);
  }
}
