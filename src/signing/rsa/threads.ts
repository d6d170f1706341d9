import { createHash } from "node:crypto";
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

class ThreadPool implements RsaThreads {
  readonly #options: RsaThreadsOptions;
  readonly #threads = new Set<Thread>();

  constructor(options: RsaThreadsOptions) {
    this.#options = options;
  }

  sign(parts: RsaParts, octets: Uint8Array): Promise<Uint8Array> {
    return this.#leastBusy().sign(parts, createHash("sha256").update(octets).digest());
  }

  #leastBusy(): Thread {
    let best: Thread | null = null;
    for (const thread of this.#threads) {
      if (best === null || thread.pending < best.pending) best = thread;
    }
    if (best !== null && (best.pending === 0 || this.#threads.size >= this.#options.most)) {
      return best;
    }
    const thread = new Thread(this.#options.workerUrl, () => this.#threads.delete(thread));
    this.#threads.add(thread);
    return thread;
  }
}

class Thread {
  readonly #worker: Worker;
  readonly #onEnd: () => void;
  readonly #waiting = new Map<number, PromiseWithResolvers<Uint8Array>>();
  readonly #keys = new Map<RsaParts, number>();
  #requests = 0;

  constructor(workerUrl: URL, onEnd: () => void) {
    this.#onEnd = onEnd;
    this.#worker = new Worker(workerUrl, { type: "module", name: "posthouse-rsa" });
    this.#worker.onmessage = ({ data }: MessageEvent<ThreadMessage>) => this.#receive(data);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#end(new Error(`Cannot sign: ${event.message}`));
    };
  }

  /** Signatures that are asked for and not made yet. */
  get pending(): number {
    return this.#waiting.size;
  }

  sign(parts: RsaParts, digest: Uint8Array): Promise<Uint8Array> {
    const id = this.#requests++;
    const known = this.#keys.get(parts);
    const key = known ?? this.#keys.size;
    this.#keys.set(parts, key);
    const waiter = Promise.withResolvers<Uint8Array>();
    this.#waiting.set(id, waiter);
    const request: SignRequest = { id, key, parts: known === undefined ? parts : null, digest };
    this.#worker.postMessage(request);
    return waiter.promise;
  }

  #receive(message: ThreadMessage): void {
    if (message.kind === "idle") {
      if (this.pending === 0) this.#end(new Error("Cannot sign: the thread ended"));
      return;
    }
    const waiter = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (message.kind === "signed") waiter?.resolve(message.signature);
    else waiter?.reject(new Error(message.reason));
  }

  #end(reason: Error): void {
    this.#worker.terminate();
    this.#onEnd();
    for (const waiter of this.#waiting.values()) waiter.reject(reason);
    this.#waiting.clear();
  }
}
