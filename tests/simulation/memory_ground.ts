import { openMemoryStore } from "../../src/queue/memory/store.ts";
import type { MessageDetail, OutboxEvent, QueueStore } from "../../src/queue/store.ts";
import { lockstep } from "./lockstep.ts";
import { gatedStore } from "./store_gate.ts";
import type { Ground, Life, World } from "./world.ts";

/** A store that gets the same calls, and what ends it. */
export interface BesideOptions {
  readonly beside?: QueueStore;
  readonly end?: () => Promise<void>;
}

/** A store in memory that outlives the relay, as one that is shared by several nodes does. */
export class MemoryGround implements Ground {
  readonly lookShare = 0.3;
  readonly fillsUp = false;
  readonly isOwned = false;
  readonly #listeners = new Set<() => void>();
  readonly #store: QueueStore;
  readonly #world: World;
  readonly #end: () => Promise<void>;

  constructor(world: World, { beside, end }: BesideOptions = {}) {
    this.#world = world;
    this.#end = end ?? (() => Promise.resolve());
    const { settings } = world.plan;
    const clock = world.clock.viewFor(this);
    const store = openMemoryStore({ clock, keepsFailed: settings.keepsFailed });
    this.#store = beside === undefined ? store : lockstep({
      ...{ first: store, second: beside },
      onDifference: (detail) => world.fail("the two stores agree", detail),
    });
  }

  async open(life: Life, mode: "relay" | "tool" = "relay"): Promise<QueueStore> {
    if (mode === "relay") await this.#endClaims();
    const { shelf, outbox } = this.#store;
    const shared: QueueStore = { // its end is not the end of the store
      ...bound(this.#store),
      ...{ shelf, outbox },
      onChange: (listener) => {
        this.#listeners.add(listener);
        return () => this.#listeners.delete(listener);
      },
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
    return gatedStore(shared, { world: this.#world, life });
  }

  /** One relay owns the store at a time, so claims that a former one left behind end. */
  async #endClaims(): Promise<void> {
    const details = await this.peekAll();
    const owners = new Set(
      details.flatMap(({ recipients }) => recipients.flatMap(({ claimedBy }) => claimedBy ?? [])),
    );
    for (const owner of owners) {
      await this.#store.abandon({ owner, nowMs: this.#world.clock.wallMs });
    }
  }

  killed(): void {}

  changedElsewhere(): void {
    for (const listener of this.#listeners) listener();
  }

  openOf(): number {
    return 0;
  }

  peek(id: string): Promise<MessageDetail | null> {
    return this.#store.get(id);
  }

  async peekAll(): Promise<readonly MessageDetail[]> {
    const page = await this.#store.list({ filter: {}, limit: 100_000, order: "oldest" });
    const details = await Promise.all(page.items.map(({ message: { id } }) => this.peek(id)));
    return details.filter((detail) => detail !== null);
  }

  spoolFiles(): Promise<number> {
    return Promise.resolve(0);
  }

  outboxEvents(): Promise<readonly OutboxEvent[]> {
    return this.#store.outbox.read({ after: 0, limit: 1_000_000 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#store[Symbol.asyncDispose]();
    await this.#end();
  }
}

/** The methods of a store as values. */
export function bound(store: QueueStore): Omit<QueueStore, "shelf" | "outbox" | symbol> {
  return {
    put: (message) => store.put(message),
    putAll: (messages) => store.putAll(messages),
    claim: (request) => store.claim(request),
    renew: (request) => store.renew(request),
    settle: (settlement) => store.settle(settlement),
    abandon: (request) => store.abandon(request),
    body: (id, options) => store.body(id, options),
    get: (id) => store.get(id),
    list: (request) => store.list(request),
    count: (filter) => store.count(filter),
    countWithin: (filter, withinMs) => store.countWithin(filter, withinMs),
    command: (request) => store.command(request),
    stats: () => store.stats(),
    shape: (request) => store.shape(request),
    purge: (request) => store.purge(request),
    dropBodies: (request) => store.dropBodies(request),
    onChange: (listener) => store.onChange(listener),
    spool: () => store.spool(),
  };
}
