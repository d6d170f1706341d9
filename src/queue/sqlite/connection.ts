import { StoreError } from "../store.ts";
import type { Pack } from "./batch.ts";
import { deathOf, Link, type LinkOptions, type Orphans } from "./link.ts";
import type { CallName, Calls } from "./protocol.ts";

/**
 * A worker that is started with the first call, and started again when it died: all that matters is
 * on disk. The calls that it had are made once more, of a worker that is told so.
 */
export class Connection {
  readonly #options: Omit<LinkOptions, "onDeath">;
  #link: Link | null = null;
  #opening: Promise<Link> | null = null;
  #closed = false;

  constructor(options: Omit<LinkOptions, "onDeath">) {
    this.#options = options;
  }

  /**
   * Starts the worker now.
   *
   * @throws StoreError when it cannot open the store.
   */
  async open(): Promise<void> {
    await this.#open();
  }

  /** Makes a call. */
  call<Name extends CallName>(name: Name, pack: Pack<Name>): Promise<Calls[Name]["result"]> {
    if (this.#closed) {
      return Promise.reject(new StoreError("closed", "Cannot use the queue: it is closed"));
    }
    if (this.#link?.isUsable) return this.#link.call(name, pack);
    return this.#open().then((link) => link.call(name, pack));
  }

  /** Waits for the calls that were made, then ends the worker. */
  async close(): Promise<void> {
    this.#closed = true;
    const link = await this.#opening?.catch(() => null) ?? this.#link;
    await link?.close();
  }

  #open(): Promise<Link> {
    this.#opening ??= this.#start();
    return this.#opening;
  }

  async #start(): Promise<Link> {
    try {
      const onDeath = (orphans: Orphans): void => void this.#adopt(orphans);
      this.#link = await Link.open({ ...this.#options, onDeath });
      return this.#link;
    } finally {
      this.#opening = null;
    }
  }

  /** Makes calls once more whose worker died. */
  async #adopt(orphans: Orphans): Promise<void> {
    try {
      (await this.#open()).adopt(orphans);
    } catch (error) {
      const { reason, doubtful, untouched } = orphans;
      for (const { waiter } of untouched) waiter.reject(error);
      for (const { waiter } of doubtful) waiter.reject(deathOf(reason));
    }
  }
}
