import { type Clock, sleep } from "../base/clock.ts";
import type { EventSink } from "../observe/events.ts";
import type { Outbox, OutboxCall, PlacedEvent } from "../queue/outbox.ts";
import { signatureFields } from "./signature.ts";

/** Where events are sent to. */
export interface WebhookTarget {
  readonly name: string;
  readonly url: string;
  /** Key of the signature; null for none. */
  readonly secret: string | null;
  /** Types of events; others are passed over. */
  readonly events: readonly string[];
  /** The most events in one request. */
  readonly maxEvents: number;
  readonly timeoutMs: number;
  /** False where its name may not lead to a private address. */
  readonly privateAddresses?: boolean;
}

/** The runtime's `fetch`, or what a test puts in its place. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface WebhookSenderOptions {
  readonly outbox: Outbox;
  readonly fetch: Fetch;
  /** Goes to public addresses alone, for targets that have to be there. */
  readonly publicFetch?: Fetch;
  readonly clock: Clock;
  readonly events: EventSink;
}

/** How a webhook is doing. */
export interface WebhookHealth {
  readonly lastError: { readonly text: string; readonly atMs: number } | null;
  readonly lastSuccessAtMs: number | null;
}

/** How soon to look for events that nobody announced. */
const LOOK_MS = 10_000;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 600_000;

/**
 * Tells one webhook of events, in the order in which they came and one request at a time, so that
 * those of a message arrive in theirs. A request that fails is repeated with growing waits until
 * it is taken; how far the webhook has come is kept in the store.
 */
export class WebhookSender implements AsyncDisposable {
  readonly target: WebhookTarget;
  readonly #options: WebhookSenderOptions;
  readonly #abort = new AbortController();
  #running: Promise<void> | null = null;
  #wake: (() => void) | null = null;
  #isAwake = false;
  #failures = 0;
  /** How often a replay began or ended; odd while one moves the place. */
  #moves = 0;
  #health: WebhookHealth = { lastError: null, lastSuccessAtMs: null };

  constructor(target: WebhookTarget, options: WebhookSenderOptions) {
    this.target = target;
    this.#options = options;
  }

  get health(): WebhookHealth {
    return this.#health;
  }

  /**
   * Begins, unless it has begun. Once the promise resolves it is known from where on a webhook that
   * nobody knew is told, so that it is told of all that happens later.
   */
  async start(): Promise<void> {
    if (this.#running !== null) return;
    try {
      await this.#reached();
    } catch {
      // A store that does not answer is what the first step meets again and tells of.
    }
    this.#running ??= this.#run();
  }

  /** There may be events. Cheap to call often. */
  wake(): void {
    this.#isAwake = true;
    if (this.#failures === 0) this.#wake?.();
  }

  /** Sends again what came after a place, or at once what waits for a repetition. */
  async replay(place: number): Promise<void> {
    this.#moves += 1;
    try {
      await this.#options.outbox.move(this.target.name, place);
    } finally {
      this.#moves += 1;
    }
    this.#failures = 0;
    this.#isAwake = true;
    this.#wake?.();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    this.#wake?.();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#abort;
    while (!signal.aborted) {
      this.#isAwake = false;
      let waitMs = LOOK_MS;
      try {
        const result = await this.#step();
        if (result === "more") continue;
        if (result === "failed") waitMs = this.#backOffMs();
      } catch (cause) {
        if (signal.aborted) return;
        waitMs = this.#backOffMs();
        const message = `Cannot send events to webhook ${this.target.name}`;
        this.#options.events({
          type: "trouble",
          level: "error",
          component: "webhooks",
          message,
          cause,
        });
      }
      if (!this.#isAwake || this.#failures > 0) await this.#pause(waitMs);
    }
  }

  /** Sends what comes next. */
  async #step(): Promise<"more" | "nothing" | "failed"> {
    const { outbox } = this.#options;
    const { name, maxEvents, events: types } = this.target;
    const moves = this.#moves;
    const reached = await this.#reached();
    const found = await outbox.read({ after: reached, limit: maxEvents });
    const last = found.at(-1);
    if (last === undefined || this.#abort.signal.aborted) return "nothing";
    const wanted = found.filter(({ type }) => types.includes(type));
    if (wanted.length === 0) {
      if (!this.#isMovedSince(moves)) await outbox.move(name, last.place);
      return "more";
    }
    const call = await this.#call(wanted);
    const isTaken = call.error === "";
    // A replay that was asked for meanwhile moves the place itself.
    const isMoved = this.#isMovedSince(moves);
    await outbox.record(call, isTaken && !isMoved ? last.place : null);
    if (isTaken || isMoved) return "more";
    this.#failures++;
    return "failed";
  }

  #isMovedSince(moves: number): boolean {
    return this.#moves !== moves || moves % 2 === 1;
  }

  /** A webhook nobody knew is told of what comes from now on. */
  async #reached(): Promise<number> {
    const { outbox } = this.#options;
    const reached = await outbox.reached(this.target.name);
    if (reached !== null) return reached;
    const place = await outbox.placeBefore();
    await outbox.move(this.target.name, place);
    return place;
  }

  async #call(events: readonly PlacedEvent[]): Promise<OutboxCall> {
    const { clock } = this.#options;
    const atMs = clock.now();
    const startedAtMs = clock.monotonic();
    const { status, error } = await this.#post(events);
    if (error === "") {
      this.#failures = 0;
      this.#health = { lastError: null, lastSuccessAtMs: atMs };
    } else this.#health = { ...this.#health, lastError: { text: error, atMs } };
    return {
      ...{ webhook: this.target.name, atMs, status, error },
      firstPlace: events[0]?.place ?? 0,
      lastPlace: events.at(-1)?.place ?? 0,
      types: [...new Set(events.map(({ type }) => type))],
      durationMs: clock.monotonic() - startedAtMs,
    };
  }

  async #post(
    events: readonly PlacedEvent[],
  ): Promise<{ status: number | null; error: string }> {
    const { clock, fetch: anyFetch, publicFetch = anyFetch } = this.#options;
    const { url, secret, timeoutMs, privateAddresses } = this.target;
    const fetch = privateAddresses === false ? publicFetch : anyFetch;
    const bodies = events.map(({ place, body }) => `{"id":${place},${body.slice(1)}`);
    const body = `{"events":[${bodies.join(",")}]}`;
    const id = `${events[0]?.place}-${events.at(-1)?.place}`;
    const timestamp = Math.floor(clock.now() / 1000);
    const signed = secret === null ? {} : signatureFields({ id, timestamp, body }, secret);
    const late = new AbortController();
    const cancel = clock.schedule(timeoutMs, () => late.abort());
    const signal = AbortSignal.any([late.signal, this.#abort.signal]);
    try {
      const headers = { "content-type": "application/json", "user-agent": "Posthouse" };
      const response = await fetch(url, {
        ...{ method: "POST", body, redirect: "manual", signal },
        headers: { ...headers, "x-posthouse-id": id, ...signed },
      });
      await response.body?.cancel();
      const { status, ok } = response;
      return { status, error: ok ? "" : `It answered ${status}` };
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      if (this.#abort.signal.aborted) return { status: null, error: "The relay stopped" };
      return { status: null, error: late.signal.aborted ? "It took too long" : text };
    } finally {
      cancel();
    }
  }

  #backOffMs(): number {
    return Math.min(FIRST_WAIT_MS * 2 ** Math.max(0, this.#failures - 1), LONGEST_WAIT_MS);
  }

  async #pause(delayMs: number): Promise<void> {
    if (this.#abort.signal.aborted) return;
    const pause = new AbortController();
    this.#wake = () => pause.abort();
    await sleep(this.#options.clock, { delayMs, signal: pause.signal }).catch(() => {});
  }
}
