import { StoreError } from "../store.ts";
import { Link, type LinkOptions, type Pack } from "./link.ts";
import type { CallName, Calls } from "./protocol.ts";

/**
 * A worker that is started with the first call, and started again with the first call after it
 * died: all that matters is on disk.
 */
export class Connection {
  readonly #options: LinkOptions;
  #link: Link | null = null;
  #opening: Promise<Link> | null = null;
  #closed = false;

  constructor(options: LinkOptions) {
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
      this.#link = await Link.open(this.#options);
      return this.#link;
    } finally {
      this.#opening = null;
    }
  }
}
