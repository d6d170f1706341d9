import type { Clock } from "../../base/clock.ts";
import type { EventSink, RelayEvent } from "../../observe/events.ts";
import { formatDuration } from "../../observe/quantities.ts";
import type { QueueStore } from "../../queue/store.ts";

const INTERVAL_MS = 30_000;
/** How long mail may be due, and nothing else happen, before that is called a stall. */
const STALL_MS = 5 * 60_000;

/** Events that show that deliveries go on, be they successes or not. */
const PROGRESS: ReadonlySet<RelayEvent["type"]> = new Set(
  [
    "delivered",
    "deferred",
    "bounced",
    "expired",
    "uncertain",
    "destination_down",
    "destination_up",
  ] as const,
);

/**
 * Notices when mail is due and nothing moves, regardless of the reason, and says so once at the
 * beginning and once at the end. It looks at the queue itself, so that a scheduler that stands
 * still cannot hide it.
 */
export class StallWatch {
  readonly #store: Pick<QueueStore, "stats">;
  readonly #clock: Clock;
  readonly #emit: EventSink;
  #progressAtMs: number;
  /** What the time of day is ahead of the monotonic clock. */
  #aheadMs: number;
  #stalledSinceMs: number | null = null;
  #cancel: (() => void) | null = null;
  #running: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(
    { store, clock, emit }: { store: Pick<QueueStore, "stats">; clock: Clock; emit: EventSink },
  ) {
    this.#store = store;
    this.#clock = clock;
    this.#emit = emit;
    this.#progressAtMs = clock.now();
    this.#aheadMs = clock.now() - clock.monotonic();
  }

  /** Takes an event. */
  readonly sink: EventSink = (event: RelayEvent): void => {
    if (PROGRESS.has(event.type)) this.#progressAtMs = this.#clock.now();
  };

  /** Since when mail has been due without progress; null while it moves. */
  get stalledSinceMs(): number | null {
    return this.#stalledSinceMs;
  }

  start(): void {
    this.#cancel = this.#clock.schedule(INTERVAL_MS, () => {
      this.#running = this.#look().finally(() => {
        if (!this.#stopped) this.start();
      });
    });
  }

  /** Resolves when it does not look any more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel?.();
    await this.#running;
  }

  async #look(): Promise<void> {
    let nextDueAtMs: number | null;
    try {
      ({ nextDueAtMs } = await this.#store.stats());
    } catch {
      return; // a store that does not answer is another trouble, reported where it is met
    }
    const nowMs = this.#clock.now();
    const aheadMs = nowMs - this.#clock.monotonic();
    // The clock was set, or the machine slept: what is due by now has its time first.
    if (Math.abs(aheadMs - this.#aheadMs) > INTERVAL_MS) this.#progressAtMs = nowMs;
    this.#aheadMs = aheadMs;
    const sinceMs = Math.max(nextDueAtMs ?? Infinity, this.#progressAtMs);
    if (nowMs - sinceMs >= STALL_MS) this.#stalled(sinceMs, nowMs);
    else this.#moves(nowMs);
  }

  #stalled(sinceMs: number, nowMs: number): void {
    if (this.#stalledSinceMs !== null) return;
    this.#stalledSinceMs = sinceMs;
    const length = formatDuration(nowMs - sinceMs);
    this.#trouble("error", `Due mail has made no progress for ${length}`);
  }

  #moves(nowMs: number): void {
    if (this.#stalledSinceMs === null) return;
    const length = formatDuration(nowMs - this.#stalledSinceMs);
    this.#stalledSinceMs = null;
    this.#trouble("warning", `Due mail makes progress again after ${length}`);
  }

  #trouble(level: "warning" | "error", message: string): void {
    this.#emit({ type: "trouble", level, component: "delivery", message });
  }
}
