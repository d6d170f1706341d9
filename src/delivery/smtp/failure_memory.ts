import type { Clock } from "../../base/clock.ts";
import type { Reply } from "../../mail/reply.ts";

/** How failures to connect are remembered. */
export interface FailureMemoryOptions {
  readonly clock: Clock;
  /** How long an address that failed is left alone. */
  readonly forgetAfterMs?: number;
  /** The most addresses remembered; the oldest is forgotten first. */
  readonly maxEntries?: number;
}

interface Entry {
  reply: Reply;
  untilMs: number;
}

/**
 * Remembers for a short time which addresses could not be connected to, so that a crowd of
 * messages does not find out one by one. When the time is over, one caller is let through to
 * probe while the others go on without.
 */
export class FailureMemory {
  readonly #clock: Clock;
  readonly #forgetAfterMs: number;
  readonly #maxEntries: number;
  readonly #entries = new Map<string, Entry>();

  constructor({ clock, forgetAfterMs = 15_000, maxEntries = 10_000 }: FailureMemoryOptions) {
    this.#clock = clock;
    this.#forgetAfterMs = forgetAfterMs;
    this.#maxEntries = maxEntries;
  }

  /** The failure that speaks against trying `address` now; null when it may be tried. */
  recall(address: string): Reply | null {
    const entry = this.#entries.get(address);
    if (entry === undefined) return null;
    const nowMs = this.#clock.monotonic();
    if (nowMs < entry.untilMs) return entry.reply;
    entry.untilMs = nowMs + this.#forgetAfterMs; // the caller probes; the others wait
    return null;
  }

  /** Takes note that `address` could not be connected to. */
  failed(address: string, reply: Reply): void {
    this.#entries.delete(address);
    const [oldest] = this.#entries.size >= this.#maxEntries ? this.#entries.keys() : [];
    if (oldest !== undefined) this.#entries.delete(oldest);
    this.#entries.set(address, { reply, untilMs: this.#clock.monotonic() + this.#forgetAfterMs });
  }

  /** Takes note that `address` answered. */
  succeeded(address: string): void {
    this.#entries.delete(address);
  }
}
