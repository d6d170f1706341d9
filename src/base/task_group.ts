/**
 * The background work of one owner. Nothing in it is forgotten: a failure is
 * reported, and closing waits for what is still running.
 */
export class TaskGroup implements AsyncDisposable {
  readonly #running = new Set<Promise<void>>();
  readonly #onError: (error: unknown) => void;

  /** `onError` hears of every task that throws; it must not throw itself. */
  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  /** How many tasks are running. */
  get size(): number {
    return this.#running.size;
  }

  /** Starts `task` and keeps it until it ends. */
  run(task: () => Promise<void>): void {
    const running: Promise<void> = task().catch(this.#onError).finally(() =>
      this.#running.delete(running)
    );
    this.#running.add(running);
  }

  /** Resolves when no task is running, those started meanwhile included. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.idle();
  }
}
