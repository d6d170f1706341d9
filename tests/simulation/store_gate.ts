import type {
  ClaimRequest,
  ClaimResult,
  Outbox,
  QueueStore,
  Settlement,
  Shelf,
  SpoolWriter,
} from "../../src/queue/store.ts";
import { StoreError } from "../../src/queue/store.ts";
import { checkClaimedAgain, checkSettled, CLAIM_AGAIN_MS } from "./invariants.ts";
import { type StoreTrouble } from "./plan.ts";
import type { Life, World } from "./world.ts";

const NEVER = new Promise<never>(() => {});
const LONGEST_STUCK_MS = 30_000;

/** Which calls a full disk refuses. */
const NEEDS_SPACE = new Set(["put", "putAll", "settle", "command", "spool", "claim", "shelf"]);

/**
 * A store as one life of the relay sees it: calls take their time, fail when there is trouble, and
 * never come back after the life has ended.
 */
export function gatedStore(inner: QueueStore, facts: { world: World; life: Life }): QueueStore {
  return new StoreGate(inner, facts);
}

class StoreGate implements QueueStore {
  readonly shelf: Shelf;
  readonly outbox: Outbox;
  readonly #inner: QueueStore;
  readonly #world: World;
  readonly #life: Life;
  #claims = 0;
  #claimsMade = 0;
  #claimsUnderWay = 0;

  constructor(inner: QueueStore, { world, life }: { world: World; life: Life }) {
    this.#inner = inner;
    this.#world = world;
    this.#life = life;
    const { shelf, outbox } = inner;
    this.shelf = {
      get: (space, key) => this.#call("get", () => shelf.get(space, key)),
      put: (space, entry) => this.#call("shelf", () => shelf.put(space, entry)),
      claim: (space, entry) => this.#call("shelf", () => shelf.claim(space, entry)),
      delete: (space, key) => this.#call("shelf", () => shelf.delete(space, key)),
      list: (request) => this.#call("list", () => shelf.list(request)),
      purge: (limit) => this.#call("purge", () => shelf.purge(limit)),
    };
    this.outbox = outbox;
  }

  put: QueueStore["put"] = (message) =>
    this.#fresh(() => this.#call("put", () => this.#inner.put(message)));
  putAll: QueueStore["putAll"] = (all) =>
    this.#fresh(() => this.#call("putAll", () => this.#inner.putAll(all)));
  renew: QueueStore["renew"] = (request) => this.#call("renew", () => this.#inner.renew(request));
  settle: QueueStore["settle"] = async (settlement) => {
    const { refused } = this.#life;
    const key = JSON.stringify([settlement.messageId, settlement.recipients]);
    refused.add(key);
    await this.#call("settle", () => this.#settle(settlement));
    refused.delete(key);
  };
  abandon: QueueStore["abandon"] = (request) =>
    this.#call("abandon", () => this.#inner.abandon(request));
  get: QueueStore["get"] = (id) => this.#call("get", () => this.#inner.get(id));
  list: QueueStore["list"] = (request) => this.#call("list", () => this.#inner.list(request));
  count: QueueStore["count"] = (filter) => this.#call("list", () => this.#inner.count(filter));
  countWithin: QueueStore["countWithin"] = (filter, withinMs) =>
    this.#call("list", () => this.#inner.countWithin(filter, withinMs));
  command: QueueStore["command"] = (request) =>
    this.#call("command", () => this.#inner.command(request));
  stats: QueueStore["stats"] = () => this.#call("list", () => this.#inner.stats());
  shape: QueueStore["shape"] = (request) => this.#call("list", () => this.#inner.shape(request));
  purge: QueueStore["purge"] = (request) => this.#call("purge", () => this.#inner.purge(request));
  dropBodies: QueueStore["dropBodies"] = (request) =>
    this.#call("purge", () => this.#inner.dropBodies(request));

  claim: QueueStore["claim"] = async (request) => {
    const world = this.#world;
    const calls = ++this.#claims;
    const { attempts } = world;
    const startedMs = world.clock.elapsedMs;
    try {
      return await this.#call("claim", () => this.#claim(request));
    } catch (error) {
      const failedMs = world.clock.elapsedMs;
      const callback = (): void => {
        if (this.#claims > calls || world.attempts > attempts) return;
        checkClaimedAgain(world, { startedMs, failedMs });
      };
      const wasIdle = world.isIdle();
      const owner = this.#life.wires;
      if (wasIdle) world.clock.schedule(CLAIM_AGAIN_MS, { owner, callback });
      throw error;
    }
  };

  body: QueueStore["body"] = async (id, options) => {
    const chunks = await this.#call("body", () => this.#inner.body(id, options));
    return chunks === null ? null : this.#chunks(chunks);
  };

  onChange(listener: () => void): () => void {
    return this.#inner.onChange(() => {
      if (this.#life.isAlive) listener();
    });
  }

  spool(): SpoolWriter {
    const writer = this.#inner.spool();
    return {
      write: (chunk) => this.#call("spool", () => writer.write(chunk)),
      finish: () => this.#call("spool", () => writer.finish()),
      discard: () => this.#alive(this.#world.track(writer.discard())),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#alive(this.#world.track(this.#inner[Symbol.asyncDispose]()));
  }

  /** Counts a commit of fresh mail while it is under way. */
  async #fresh(put: () => Promise<void>): Promise<void> {
    this.#life.puts++;
    try {
      await put();
    } finally {
      this.#life.puts--;
    }
  }

  async #claim(request: ClaimRequest): Promise<ClaimResult> {
    this.#claimsUnderWay++;
    this.#claimsMade++;
    try {
      return await this.#inner.claim(request);
    } finally {
      this.#claimsUnderWay--;
    }
  }

  /** What was committed is known to the world, whether or not the relay hears of it. */
  async #settle(settlement: Settlement): Promise<void> {
    const { messageId, notifications } = settlement;
    const { ground } = this.#world;
    const isWatched = this.#world.roll("look at a settlement") < ground.lookShare &&
      this.#claimsUnderWay === 0;
    const claims = this.#claimsMade;
    const before = isWatched ? await ground.peek(messageId) : null;
    await this.#inner.settle(settlement);
    // A claim between the two says nothing of the one that the settlement was made by.
    if (before !== null && claims === this.#claimsMade) {
      await checkSettled(this.#world, { settlement, before, after: await ground.peek(messageId) });
    }
    for (const notice of notifications) {
      if (await this.#world.ground.peek(notice.id) !== null) {
        this.#world.ledger.noticed(messageId, notice);
      }
    }
  }

  async *#chunks(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    const iterator = chunks[Symbol.asyncIterator]();
    try {
      for (;;) {
        const next = await this.#alive(this.#world.track(iterator.next()));
        if (next.done === true) return;
        yield next.value;
      }
    } finally {
      await iterator.return?.();
    }
  }

  async #call<T>(name: string, run: () => Promise<T>): Promise<T> {
    if (!this.#life.isAlive || !this.#world.mayCall()) return await NEVER;
    const trouble = this.#troubleFor(name);
    await this.#delay(name, trouble);
    if (trouble?.what === "full" || trouble?.what === "unavailable") {
      const kind = trouble.what;
      this.#world.note(() => `    the store refuses ${name}: ${kind}`);
      throw new StoreError(kind, `Cannot ${name}: the world wants it so`);
    }
    const result = await this.#alive(this.#world.track(run()));
    if (trouble?.what === "lost_reply") {
      this.#world.note(() => `    the reply to ${name} is lost`);
      throw new StoreError("unavailable", `Cannot ${name}: its worker died`, { mayBeDone: true });
    }
    return result;
  }

  #troubleFor(name: string): StoreTrouble | null {
    for (const trouble of this.#world.storeTroubles) {
      if (trouble.what === "worker") continue;
      const isMadeBelow = trouble.what === "full" && this.#world.ground.fillsUp;
      if (isMadeBelow || trouble.what === "full" && !NEEDS_SPACE.has(name)) continue;
      if (trouble.share >= 1 || this.#world.roll(`store ${trouble.what} ${name}`) < trouble.share) {
        return trouble;
      }
    }
    return null;
  }

  async #delay(name: string, trouble: StoreTrouble | null): Promise<void> {
    const isSlow = trouble?.what === "slow" || trouble?.what === "stuck";
    if (!isSlow && this.#world.roll("store is quick") < 0.7) return;
    const longestMs = trouble?.what === "stuck" ? LONGEST_STUCK_MS : isSlow ? 2_000 : 20;
    const delayMs = 1 + longestMs * this.#world.roll(`store delay ${name}`) ** 2;
    await new Promise<void>((resolve) =>
      this.#world.clock.schedule(delayMs, { owner: this.#life.wires, callback: resolve })
    );
  }

  /** What comes back after the end of the life comes back to nobody. */
  async #alive<T>(result: Promise<T>): Promise<T> {
    try {
      const value = await result;
      return this.#life.isAlive ? value : await NEVER;
    } catch (error) {
      if (this.#life.isAlive) throw error;
      return await NEVER;
    }
  }
}
