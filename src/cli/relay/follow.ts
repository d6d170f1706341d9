import type { InferResponseType } from "hono/client";
import type { AdminClient } from "../../admin/client.ts";
import { sleep, systemClock } from "../../base/clock.ts";
import type { EventLevel } from "../../observe/event_level.ts";
import { answerOf, ask, RelayError } from "./ask.ts";
import { serverSentEvents } from "./sse.ts";

/** An event as the API shows it. */
export type EventView = InferResponseType<
  AdminClient["events"]["recent"]["$get"],
  200
>["items"][number];

/** Which events are wanted. */
export interface EventQuery {
  readonly level: EventLevel;
  readonly type?: string[];
  readonly message?: string;
  readonly text?: string;
}

/** What following needs. */
export interface FollowOptions {
  readonly query: EventQuery;
  /** The event after which it begins. */
  readonly afterId: number;
  readonly signal: AbortSignal;
  readonly show: (event: EventView) => void;
  /** Told of what happens to the connection. */
  readonly tell: (notice: string) => void;
}

/** Waits before the next tries to connect; the last one repeats. */
const WAITS_MS = [300, 1000, 2000, 5000] as const;

/**
 * Shows events as they happen until the signal. When the connection is lost it comes back and asks
 * for what it missed (`Last-Event-ID`).
 *
 * @throws RelayError when the relay refuses.
 */
export async function follow(client: AdminClient, options: FollowOptions): Promise<void> {
  const follower = new Follower(client, options);
  while (!options.signal.aborted) await follower.once();
}

class Follower {
  readonly #client: AdminClient;
  readonly #options: FollowOptions;
  #lastId: number;
  /** When the relay that the ids are of was started; null before it was asked. */
  #startedAtMs: number | null = null;
  #failures = 0;

  constructor(client: AdminClient, options: FollowOptions) {
    this.#client = client;
    this.#options = options;
    this.#lastId = options.afterId;
  }

  /** Connects and follows until the connection is lost, then waits. */
  async once(): Promise<void> {
    const { signal, tell } = this.#options;
    try {
      await this.#greet();
      await this.#stream();
    } catch (error) {
      if (signal.aborted) return;
      if (!isLoss(error)) throw error;
    }
    if (signal.aborted) return;
    if (this.#failures === 0) tell("Lost the connection to the relay; reconnecting.");
    const delayMs = WAITS_MS[Math.min(this.#failures++, WAITS_MS.length - 1)] ?? 0;
    await sleep(systemClock, { delayMs, signal }).catch(() => {});
  }

  /** Finds out whether it is still the relay that counted the events seen so far. */
  async #greet(): Promise<void> {
    const { signal, tell } = this.#options;
    const { info } = await ask(this.#client.status.$get({}, { init: { signal } }));
    const { startedAtMs } = info;
    const isOther = this.#startedAtMs !== null && startedAtMs !== this.#startedAtMs;
    this.#startedAtMs = startedAtMs;
    if (isOther) this.#lastId = 0; // it counts anew
    if (this.#failures === 0) return;
    this.#failures = 0;
    tell(isOther ? "Reconnected; the relay was restarted." : "Reconnected.");
  }

  async #stream(): Promise<void> {
    const { query, signal, show, tell } = this.#options;
    const headers = { "last-event-id": String(this.#lastId) };
    const { body } = await answerOf(
      this.#client.events.$get({ query }, { headers, init: { signal } }),
    );
    if (body === null) return;
    for await (const { type, data } of serverSentEvents(body)) {
      const value = JSON.parse(data);
      if (type === "missed") {
        tell(`${value.count} events are no longer available.`);
        continue;
      }
      this.#lastId = value.id;
      show(value);
    }
  }
}

/** A stream that breaks off fails with a TypeError, as `fetch` does. */
function isLoss(error: unknown): boolean {
  return error instanceof TypeError || error instanceof RelayError && error.kind === "unreachable";
}
