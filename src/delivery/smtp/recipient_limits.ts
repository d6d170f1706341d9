import type { Clock } from "../../base/clock.ts";
import type { RecipientResult } from "../../smtp/client/transaction.ts";
import { takenAtOnce } from "./outcome.ts";

/** A server that takes more again is asked for more when this time is over. */
const KEPT_MS = 3_600_000;
const MAX_ENTRIES = 10_000;

/**
 * How many recipients hosts were seen to take in one transaction, so that the next message asks for
 * no more (RFC 5321 4.5.3.1.10). A host is named by the key of its sessions.
 */
export class RecipientLimits {
  readonly #clock: Clock;
  readonly #entries = new Map<string, { readonly max: number; readonly untilMs: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The most recipients to ask `host` for at once; infinite where it showed no limit. */
  of(host: string): number {
    const entry = this.#entries.get(host);
    if (entry === undefined) return Infinity;
    if (this.#clock.monotonic() < entry.untilMs) return entry.max;
    this.#entries.delete(host);
    return Infinity;
  }

  /** Learns from a transaction. A refusal that was no limit after all is unlearned. */
  learn(host: string, results: readonly RecipientResult[]): void {
    const max = takenAtOnce(results);
    if (max === undefined) return;
    this.#entries.delete(host);
    if (max === null) return;
    const [oldest] = this.#entries.size >= MAX_ENTRIES ? this.#entries.keys() : [];
    if (oldest !== undefined) this.#entries.delete(oldest);
    this.#entries.set(host, { max, untilMs: this.#clock.monotonic() + KEPT_MS });
  }
}
