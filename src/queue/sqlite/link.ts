import { setImmediate } from "node:timers";
import { StoreError } from "../store.ts";
import { Batch, type Call, type Pack, type Waiter } from "./batch.ts";
import type { CallName, Calls, Request, Response } from "./protocol.ts";

/** The most one batch carries, so that no transaction takes long. */
const MAX_BATCH_CALLS = 1_000;
const MAX_BATCH_BYTES = 4 * 1024 * 1024;
/** The largest buffer that is kept for the next batch. */
const MAX_KEPT_BYTES = 8 * 1024 * 1024;
const FIRST_BUFFER_BYTES = 64 * 1024;

/** Calls whose worker died. */
export interface Orphans {
  readonly reason: string;
  /** It had them, so they may have been done. */
  readonly doubtful: readonly Call[];
  /** It never saw them. */
  readonly untouched: readonly Call[];
}

/** A worker as the other thread sees it. */
export interface WorkerPort {
  postMessage(request: Request, handOver?: ArrayBuffer[]): void;
  terminate(): void;
}

/** Hears of a worker. */
export interface WorkerEars {
  readonly onResponse: (response: Response) => void;
  /** It died, or what it said cannot be read. */
  readonly onFailure: (reason: string) => void;
}

/** Where the engine of a store works, and when calls set off for it. */
export interface StoreThreads {
  start(role: "writer" | "reader", ears: WorkerEars): WorkerPort;
  /** Calls back when what is going on now has made all its calls. */
  soon(callback: () => void): void;
}

/** Threads of the runtime, with the module of the worker at `url`. */
export function workerThreads(url: string | URL): StoreThreads {
  return {
    start(role, { onResponse, onFailure }) {
      const worker = new Worker(url, { type: "module", name: `posthouse-queue-${role}` });
      worker.onmessage = ({ data }: MessageEvent<Response>) => onResponse(data);
      worker.onmessageerror = () => onFailure("an answer of the worker was damaged");
      worker.onerror = (event) => {
        event.preventDefault();
        onFailure(event.message);
      };
      return {
        postMessage: (request, handOver = []) => worker.postMessage(request, handOver),
        terminate: () => worker.terminate(),
      };
    },
    soon: (callback) => void setImmediate(callback),
  };
}

/** What a worker is opened for. */
export interface LinkOptions {
  readonly threads: StoreThreads;
  readonly role: "writer" | "reader";
  /** Whether octets of messages that failed stay until `dropBodies`. */
  readonly keepsFailed: boolean;
  readonly folder: string;
  readonly watchMs: number;
  /** Another process changed the store. */
  readonly onChange: () => void;
  /** The worker died; its calls are somebody else's now. */
  readonly onDeath: (orphans: Orphans) => void;
}

/**
 * This thread's end of one worker. One batch is with the worker while the next one gathers, so
 * that calls which come together share a transaction.
 */
export class Link {
  readonly #worker: WorkerPort;
  readonly #soon: StoreThreads["soon"];
  readonly #onChange: () => void;
  readonly #onDeath: LinkOptions["onDeath"];
  /** Those who want to know when there are no calls any more. */
  readonly #idleWaiters: (() => void)[] = [];
  readonly #waiting: Batch[] = [];
  #inFlight: Batch | null = null;
  #spare: ArrayBuffer | null = null;
  #isScheduled = false;
  #broken: StoreError | null = null;
  #greeting: Waiter | null = null;

  private constructor({ threads, role, onChange, onDeath }: LinkOptions) {
    this.#onChange = onChange;
    this.#onDeath = onDeath;
    this.#soon = (callback) => threads.soon(callback);
    this.#worker = threads.start(role, {
      onResponse: (response) => this.#receive(response),
      onFailure: (reason) => this.#break(reason),
    });
  }

  /**
   * Starts a worker and has it open the store.
   *
   * @throws StoreError when it cannot.
   */
  static async open(options: LinkOptions): Promise<Link> {
    const link = new Link(options);
    const { role, folder, keepsFailed, watchMs } = options;
    try {
      await link.#greet({ kind: "open", role, folder, keepsFailed, watchMs });
      return link;
    } catch (error) {
      link.#worker.terminate();
      throw error;
    }
  }

  /** Whether calls still reach a worker. */
  get isUsable(): boolean {
    return this.#broken === null;
  }

  /** Makes a call. */
  call<Name extends CallName>(
    name: Name,
    pack: Pack<Name>,
  ): Promise<Calls[Name]["result"]> {
    if (this.#broken !== null) return Promise.reject(this.#broken);
    return new Promise((resolve, reject) => {
      const waiter = { resolve: resolve as (result: unknown) => void, reject };
      this.#gathering().add({ name, pack, waiter });
      this.#schedule();
    });
  }

  /**
   * Takes over the calls of a worker that died. Those that it may have done travel alone, so that
   * one that kills workers kills no other.
   */
  adopt({ doubtful, untouched }: Orphans): void {
    for (const call of doubtful) {
      const batch = new Batch(new ArrayBuffer(0), { isAgain: true });
      batch.add(call);
      this.#waiting.push(batch);
    }
    for (const call of untouched) this.#gathering().add(call);
    this.#schedule();
  }

  /** Waits for all calls, then ends the worker. */
  async close(): Promise<void> {
    while (this.#broken === null && (this.#inFlight !== null || this.#waiting.length > 0)) {
      await new Promise<void>((resolve) => this.#idleWaiters.push(resolve));
    }
    if (this.#broken === null) {
      await this.#greet({ kind: "close" }).catch(() => {});
      this.#broken = new StoreError("closed", "Cannot use the queue: it is closed");
    }
    this.#worker.terminate();
  }

  #greet(request: Request): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#greeting = { resolve: () => resolve(), reject };
      this.#worker.postMessage(request);
    });
  }

  #gathering(): Batch {
    const last = this.#waiting.at(-1);
    const hasRoom = last !== undefined && !last.isAgain &&
      last.calls.length < MAX_BATCH_CALLS && last.lengthBytes < MAX_BATCH_BYTES;
    if (hasRoom) return last;
    const batch = new Batch(this.#spare ?? new ArrayBuffer(FIRST_BUFFER_BYTES));
    this.#spare = null;
    this.#waiting.push(batch);
    return batch;
  }

  /** Sends at the end of this turn of the event loop, so that its other calls come along. */
  #schedule(): void {
    if (this.#isScheduled || this.#inFlight !== null) return;
    this.#isScheduled = true;
    this.#soon(() => {
      this.#isScheduled = false;
      this.#send();
    });
  }

  #send(): void {
    if (this.#inFlight !== null || this.#broken !== null) return;
    const batch = this.#waiting.shift();
    if (batch === undefined) return;
    this.#inFlight = batch;
    const { packed: calls, buffer: bytes, isAgain } = batch;
    const request: Request = { kind: "batch", calls, bytes, isAgain };
    this.#worker.postMessage(request, [batch.buffer]);
  }

  #receive(response: Response): void {
    switch (response.kind) {
      case "done":
        return this.#finish(response);
      case "changed":
        return this.#onChange();
      case "opened":
      case "closed":
        return this.#greeting?.resolve(null);
      case "failed": {
        const { kind, message } = response.failure;
        return this.#greeting?.reject(new StoreError(kind, message));
      }
    }
  }

  #finish({ results, failures, bytes }: Extract<Response, { kind: "done" }>): void {
    const batch = this.#inFlight;
    this.#inFlight = null;
    if (bytes.byteLength <= MAX_KEPT_BYTES) this.#spare = bytes;
    this.#send(); // The worker goes on while those who waited are told.
    if (batch === null) return;
    const errors = new Map(
      failures.map(([position, kind, message]) => [
        position,
        new StoreError(kind, `Cannot ${batch.calls[position]?.name}: ${message}`),
      ]),
    );
    batch.calls.forEach(({ waiter }, position) => {
      const error = errors.get(position);
      if (error === undefined) waiter.resolve(results[position]);
      else waiter.reject(error);
    });
    if (this.#inFlight === null) this.#tellIdle();
  }

  #tellIdle(): void {
    for (const resolve of this.#idleWaiters.splice(0)) resolve();
  }

  /** Nothing is known of what the worker had; what killed two workers is not tried again. */
  #break(reason: string): void {
    if (this.#broken !== null) return;
    const error = deathOf(reason);
    this.#broken = error;
    this.#worker.terminate();
    this.#greeting?.reject(error);
    const inFlight = this.#inFlight;
    const waiting = this.#waiting.splice(0);
    this.#inFlight = null;
    if (inFlight?.isAgain === true) inFlight.reject(error);
    const again = waiting.filter(({ isAgain }) => isAgain);
    const sent = inFlight === null || inFlight.isAgain ? [] : [inFlight];
    const doubtful = [...sent, ...again].flatMap(({ calls }) => calls);
    const untouched = waiting.flatMap(({ isAgain, calls }) => isAgain ? [] : calls);
    this.#tellIdle();
    if (doubtful.length + untouched.length > 0) this.#onDeath({ reason, doubtful, untouched });
  }
}

/** What those learn whose calls a worker may have done that died. */
export function deathOf(reason: string): StoreError {
  const message = `Cannot use the queue: its worker failed: ${reason}`;
  return new StoreError("unavailable", message, { mayBeDone: true });
}
