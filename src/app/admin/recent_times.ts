import type { Latency } from "../../admin/ports.ts";

/** How many attempts are remembered. */
const KEPT = 40;

/** What the last attempts at a destination took. Room is taken with the first one. */
export class RecentTimes {
  #times: Float32Array | null = null;
  #count = 0;
  #lastMessage = "";

  /** Notes an attempt, which is told once for each of its recipients. */
  note(messageId: string, durationMs: number): void {
    if (messageId === this.#lastMessage) return;
    this.#lastMessage = messageId;
    this.#times ??= new Float32Array(KEPT);
    this.#times[this.#count++ % KEPT] = durationMs;
  }

  get latency(): Latency | null {
    if (this.#times === null) return null;
    const attempts = Math.min(this.#count, KEPT);
    const sorted = this.#times.slice(0, attempts).sort();
    const at = (share: number): number => sorted[Math.ceil(attempts * share) - 1] ?? 0;
    return { medianMs: at(0.5), p95Ms: at(0.95), attempts };
  }
}
