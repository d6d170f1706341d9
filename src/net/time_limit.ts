import { type Clock, systemClock } from "../base/clock.ts";

/** The limit of one attempt: the caller's signal, or the end of its time. */
export class TimeLimit {
  readonly #controller = new AbortController();
  readonly #caller: AbortSignal | undefined;
  readonly #timeoutMs: number;
  readonly #cancel: () => void;
  readonly #onAbort = (): void => this.#controller.abort();

  constructor(
    { timeoutMs, signal, clock = systemClock }: {
      readonly timeoutMs: number;
      readonly signal?: AbortSignal;
      readonly clock?: Clock;
    },
  ) {
    this.#timeoutMs = timeoutMs;
    this.#caller = signal;
    this.#cancel = clock.schedule(timeoutMs, this.#onAbort);
    if (signal?.aborted) this.#onAbort();
    signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The outcome when the limit was reached; null when it was not. */
  failure(): { kind: "aborted" | "timeout"; reason: string } | null {
    if (this.#caller?.aborted) return { kind: "aborted", reason: "the attempt was given up" };
    if (!this.#controller.signal.aborted) return null;
    return { kind: "timeout", reason: `no answer within ${this.#timeoutMs} ms` };
  }

  clear(): void {
    this.#cancel();
    this.#caller?.removeEventListener("abort", this.#onAbort);
  }
}
