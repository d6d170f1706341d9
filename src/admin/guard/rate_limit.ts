import type { Clock } from "../../base/clock.ts";
import { parseIp } from "../../base/ip.ts";

/** Addresses that are remembered at once; the ones that were quiet longest are forgotten. */
const MAX_REMEMBERED = 10_000;

/**
 * Failed attempts to prove who one is, by client address: after `burst` of them, one more in each
 * `everyMs`. IPv6 addresses count by their /64, which is what one customer has (RFC 6177).
 */
export class FailureLimit {
  readonly #clock: Clock;
  readonly #burst: number;
  readonly #everyMs: number;
  /** When all failures of an address are forgiven. */
  readonly #clearAtMs = new Map<string, number>();

  constructor(
    { clock, burst = 10, everyMs = 30_000 }: { clock: Clock; burst?: number; everyMs?: number },
  ) {
    this.#clock = clock;
    this.#burst = burst;
    this.#everyMs = everyMs;
  }

  /** How long the address must wait before it may try again; 0 for not at all. */
  waitMs(address: string): number {
    const clearAtMs = this.#clearAtMs.get(keyOf(address)) ?? 0;
    const allowedMs = this.#clock.monotonic() + (this.#burst - 1) * this.#everyMs;
    return Math.max(0, clearAtMs - allowedMs);
  }

  /** Counts a failure. */
  fail(address: string): void {
    const key = keyOf(address);
    const before = Math.max(this.#clearAtMs.get(key) ?? 0, this.#clock.monotonic());
    this.#clearAtMs.delete(key); // and goes to the end of the order
    this.#clearAtMs.set(key, before + this.#everyMs);
    if (this.#clearAtMs.size <= MAX_REMEMBERED) return;
    const [oldest] = this.#clearAtMs.keys();
    if (oldest !== undefined) this.#clearAtMs.delete(oldest);
  }

  /** Takes one failure back: what was counted while it was not known turned out well. */
  forgive(address: string): void {
    const key = keyOf(address);
    const clearAtMs = this.#clearAtMs.get(key);
    if (clearAtMs !== undefined) this.#clearAtMs.set(key, clearAtMs - this.#everyMs);
  }
}

function keyOf(address: string): string {
  const octets = parseIp(address);
  return octets?.length === 16 ? octets.subarray(0, 8).join(".") : address;
}
