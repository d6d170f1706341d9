import type { Clock } from "../base/clock.ts";
import type { QueueStore } from "../queue/store.ts";

const INTERVAL_MS = 60_000;
/** Messages forgotten in one transaction, so that accepting mail need not wait for it. */
const STEP = 500;

/** Forgets finished messages, and what was told of them, when they are old enough. */
export class HistoryKeeper {
  readonly #store: QueueStore;
  readonly #clock: Clock;
  readonly #onError: (error: unknown) => void;
  #running: Promise<void> = Promise.resolve();
  #stopped = false;
  #cancel: (() => void) | null = null;
  /** How long finished messages are kept; may change at any time. */
  keepMs: number;
  /** How long the octets of those that failed are kept; may change at any time. */
  keepFailedMs: number;

  constructor(
    { store, clock, keepMs, keepFailedMs, onError }: {
      store: QueueStore;
      clock: Clock;
      keepMs: number;
      keepFailedMs: number;
      onError: (error: unknown) => void;
    },
  ) {
    this.#store = store;
    this.#clock = clock;
    this.#onError = onError;
    this.keepMs = keepMs;
    this.keepFailedMs = keepFailedMs;
  }

  start(): void {
    this.#cancel = this.#clock.schedule(INTERVAL_MS, () => {
      this.#running = this.#purge().catch(this.#onError).finally(() => {
        if (!this.#stopped) this.start();
      });
    });
  }

  /** Resolves when nothing runs any more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel?.();
    await this.#running;
  }

  async #purge(): Promise<void> {
    const beforeMs = this.#clock.now() - this.keepMs;
    const droppedMs = this.#clock.now() - this.keepFailedMs;
    const { shelf, outbox } = this.#store;
    await this.#inSteps(() => this.#store.dropBodies({ beforeMs: droppedMs, limit: STEP }));
    await this.#inSteps(() => this.#store.purge({ beforeMs, limit: STEP }));
    await this.#inSteps(() => outbox.purge({ beforeMs, limit: STEP }));
    await this.#inSteps(() => shelf.purge(STEP));
  }

  /** Repeats a step until it finds less than a whole step to do. */
  async #inSteps(step: () => Promise<number>): Promise<void> {
    while (!this.#stopped) if (await step() < STEP) return;
  }
}
