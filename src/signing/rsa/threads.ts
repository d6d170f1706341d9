import { createHash } from "node:crypto";
import { Fifo } from "../../base/fifo.ts";
import type { SignRequest, ThreadMessage } from "./messages.ts";
import type { RsaParts } from "./private_key.ts";

/** Signs with RSA and SHA-256 somewhere else than on the event loop. */
export interface RsaThreads {
  /** Rejects when it cannot be done here; another implementation may. */
  sign(parts: RsaParts, octets: Uint8Array): Promise<Uint8Array>;
}

/** How many threads there may be, and what they run. */
export interface RsaThreadsOptions {
  readonly most: number;
  /** Where `worker.ts` is. */
  readonly workerUrl: URL;
}

/**
 * Threads that are started when there is something to sign and end when there was nothing for a
 * while, so that nobody has to.
 */
export function rsaThreads(options: RsaThreadsOptions): RsaThreads {
  return new ThreadPool(options);
}

/** A signature that somebody waits for. */
interface Job extends PromiseWithResolvers<Uint8Array> {
  readonly parts: RsaParts;
  readonly digest: Uint8Array;
}

/** Handing work over costs a fifth of the work, so what waits goes together; 10 ms at most. */
const MAX_BATCH = 8;

class ThreadPool implements RsaThreads {
  readonly #options: RsaThreadsOptions;
  readonly #threads = new Set<Thread>();
  readonly #waiting = new Fifo<Job>();
  #isScheduled = false;

  constructor(options: RsaThreadsOptions) {
    this.#options = options;
  }

  sign(parts: RsaParts, octets: Uint8Array): Promise<Uint8Array> {
    const digest = createHash("sha256").update(octets).digest();
    const job: Job = { ...Promise.withResolvers<Uint8Array>(), parts, digest };
    this.#waiting.push(job);
    this.#schedule();
    return job.promise;
  }

  /** What comes in one turn of the event loop is shared out when the turn ends. */
  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    queueMicrotask(() => {
      this.#isScheduled = false;
      this.#shareOut();
    });
  }

  #shareOut(): void {
    const free = [...this.#threads].filter(({ isBusy }) => !isBusy);
    const unused = this.#options.most - this.#threads.size;
    let shares = Math.min(free.length + unused, this.#waiting.length);
    for (; shares > 0; shares--) {
      const size = Math.min(MAX_BATCH, Math.ceil(this.#waiting.length / shares));
      (free.pop() ?? this.#start()).sign(this.#take(size));
    }
  }

  #take(size: number): Job[] {
    const jobs: Job[] = [];
    while (jobs.length < size) {
      const job = this.#waiting.shift();
      if (job === undefined) break;
      jobs.push(job);
    }
    return jobs;
  }

  #start(): Thread {
    const thread = new Thread(this.#options.workerUrl, {
      onFree: () => this.#shareOut(),
      onEnd: () => {
        this.#threads.delete(thread);
        this.#shareOut();
      },
    });
    this.#threads.add(thread);
    return thread;
  }
}

interface ThreadEvents {
  readonly onFree: () => void;
  readonly onEnd: () => void;
}

class Thread {
  readonly #worker: Worker;
  readonly #events: ThreadEvents;
  readonly #keys = new Map<RsaParts, number>();
  #jobs: readonly Job[] = [];

  constructor(workerUrl: URL, events: ThreadEvents) {
    this.#events = events;
    this.#worker = new Worker(workerUrl, { type: "module", name: "posthouse-rsa" });
    this.#worker.onmessage = ({ data }: MessageEvent<ThreadMessage>) => this.#receive(data);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#end(`Cannot sign: ${event.message}`);
    };
  }

  get isBusy(): boolean {
    return this.#jobs.length > 0;
  }

  sign(jobs: readonly Job[]): void {
    this.#jobs = jobs;
    this.#worker.postMessage(jobs.map((job) => this.#requestOf(job)));
  }

  #requestOf({ parts, digest }: Job): SignRequest {
    const known = this.#keys.get(parts);
    const key = known ?? this.#keys.size;
    this.#keys.set(parts, key);
    return { key, parts: known === undefined ? parts : null, digest };
  }

  #receive(message: ThreadMessage): void {
    if (message.kind === "idle") {
      if (!this.isBusy) this.#end("Cannot sign: the thread ended");
      return;
    }
    if (message.kind === "failed") return this.#end(message.reason);
    const jobs = this.#jobs;
    this.#jobs = [];
    for (const [index, signature] of message.signatures.entries()) jobs[index]?.resolve(signature);
    this.#events.onFree();
  }

  #end(reason: string): void {
    const jobs = this.#jobs;
    this.#jobs = [];
    this.#worker.terminate();
    this.#events.onEnd();
    for (const { reject } of jobs) reject(new Error(reason));
  }
}
