import type { Clock } from "../base/clock.ts";
import type { QueueStore } from "../queue/store.ts";

const INTERVAL_MS = 60_000;
/** Messages forgotten in one transaction, so that accepting mail need not wait for it. */
const STEP = 500;

/** Forgets finished messages when they are old enough, a few at a time. */
export class HistoryKeeper {
  readonly #store: QueueStore;
  readonly #clock: Clock;
  readonly #onError: (error: unknown) => void;
  #running: Promise<void> = Promise.resolve();
  #stopped = false;
  #cancel: (() => void) | null = null;
  /** How long finished messages are kept; may change at any time. */
  keepMs: number;

  constructor(
    { store, clock, keepMs, onError }: {
      store: QueueStore;
      clock: Clock;
      keepMs: number;
      onError: (error: unknown) => void;
    },
  ) {
    this.#store = store;
    this.#clock = clock;
    this.#onError = onError;
    this.keepMs = keepMs;
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
    while (!this.#stopped) {
      const count = await this.#store.purge({ beforeMs, limit: STEP });
      if (count < STEP) return;
    }
  }
}
