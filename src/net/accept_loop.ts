import { type Clock, sleep } from "../base/clock.ts";
import { errorCode } from "./conn_error.ts";

/** What connections are accepted from. */
export interface ConnSource<Socket> {
  accept(): Promise<Socket>;
  close(): void;
}

/** What an accept loop is made from. */
export interface AcceptLoopOptions<Socket> {
  /** Opens the listening socket again, at the same place, after it broke; may throw. */
  readonly reopen: () => ConnSource<Socket>;
  /** Takes over each accepted socket. Must not throw. */
  readonly onSocket: (socket: Socket) => void;
  /** Is notified of trouble with accepting, once per spell of it; accepting goes on by itself. */
  readonly onError: (error: unknown) => void;
  readonly clock: Clock;
}

/** The machine or the process has no more of something; accepting at once would fail again. */
const SHORTAGES: ReadonlySet<string> = new Set(["EMFILE", "ENFILE", "ENOBUFS", "ENOMEM"]);
/** The listening socket is of no use any more. */
const BROKEN: ReadonlySet<string> = new Set(["EBADF", "EINVAL", "ENOTSOCK"]);

const FIRST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 1000;
/** Failures in a row that are taken for clients that left; twice the runtime's backlog of 511. */
const LONGEST_RUN = 1022;

/**
 * Accepts until it is stopped. Most failures of accept(2) are news of a client that reset before
 * it was accepted, so they cost nothing but the next turn. Only a shortage is waited out, and a
 * socket that broke is opened again. Each loop has its own pause.
 */
export class AcceptLoop<Socket> {
  readonly #options: AcceptLoopOptions<Socket>;
  readonly #stop = new AbortController();
  #source: ConnSource<Socket>;
  /** The pause of this spell of trouble; 0 outside of one. */
  #pauseMs = 0;
  /** Failures since the last accepted socket that are no trouble by themselves. */
  #run = 0;
  /** Resolves when a stopped loop has ended. */
  readonly done: Promise<void>;

  constructor(source: ConnSource<Socket>, options: AcceptLoopOptions<Socket>) {
    this.#source = source;
    this.#options = options;
    this.done = this.#accept();
  }

  /** Closes the listening socket. Calling it again does nothing. */
  stop(): void {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort();
    closeQuietly(this.#source);
  }

  async #accept(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      let socket: Socket;
      try {
        socket = await this.#source.accept();
      } catch (error) {
        if (!signal.aborted) await this.#recover(error);
        continue;
      }
      this.#pauseMs = 0;
      this.#run = 0;
      this.#options.onSocket(socket);
    }
  }

  async #recover(error: unknown): Promise<void> {
    const code = error instanceof Deno.errors.BadResource ? "EBADF" : errorCode(error);
    const isBroken = BROKEN.has(code);
    if (isBroken || SHORTAGES.has(code)) {
      const isFirst = this.#pauseMs === 0;
      this.#pauseMs = Math.min(Math.max(this.#pauseMs * 2, FIRST_PAUSE_MS), LONGEST_PAUSE_MS);
      await this.#pause(this.#pauseMs, isFirst ? error : null);
      if (isBroken && !this.#stop.signal.aborted) this.#reopen();
      return;
    }
    if (++this.#run % LONGEST_RUN !== 0) return;
    // A failure that nobody knows and that never ends must not take all the time.
    await this.#pause(FIRST_PAUSE_MS, this.#run === LONGEST_RUN ? error : null);
  }

  async #pause(delayMs: number, news: unknown): Promise<void> {
    const { clock, onError } = this.#options;
    const { signal } = this.#stop;
    if (news !== null) onError(news);
    try {
      await sleep(clock, { delayMs, signal });
    } catch (reason) {
      if (!signal.aborted) throw reason;
    }
  }

  /** Where it cannot be opened yet, the broken one fails again and leads back to here. */
  #reopen(): void {
    closeQuietly(this.#source);
    try {
      this.#source = this.#options.reopen();
    } catch {
      // Told by the failure that led to here.
    }
  }
}

function closeQuietly(source: ConnSource<unknown>): void {
  try {
    source.close();
  } catch {
    // It was closed, which is what broke it.
  }
}
