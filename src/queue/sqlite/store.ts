import { type Clock, systemClock } from "../../base/clock.ts";
import {
  type ClaimRequest,
  type ClaimResult,
  type MessageDetail,
  type MessageFilter,
  type MessagePage,
  type NewMessage,
  type QueueCommand,
  type QueueStore,
  type Settlement,
  type SpoolWriter,
  StoreError,
  type StoreStats,
} from "../store.ts";
import { makeFolders, SPOOL_FOLDER, takeLock } from "./folder.ts";
import { Link, type LinkOptions, type Pack } from "./link.ts";
import { packMessage, packSettlement, unpackClaim, unpackDetail, unpackListItem } from "./pack.ts";
import type { CallName, Calls } from "./protocol.ts";
import { readSpooled, removeOrphans, spoolWriter } from "./spool.ts";

const CHUNK_BYTES = 64 * 1024;
/** How much of a long job is done in one transaction, so that others need not wait for it. */
const STEP_LIMIT = 500;
const WATCH_MS = 300;

/** How a store in a folder is opened. */
export interface SqliteStoreOptions {
  /** It is made when it is not there. */
  readonly folder: string;
  readonly clock?: Clock;
  /**
   * `relay` (the default) owns the folder: there is one at a time, and claims that a former one
   * left behind end at once. `tool` may come to the folder at any time, for queries and commands.
   */
  readonly mode?: "relay" | "tool";
  /** Where the worker's module is, for programs that are bundled. */
  readonly workerUrl?: string | URL;
}

/**
 * Opens the queue in a folder.
 *
 * @throws StoreError `locked`, `newer_schema`, `corrupt`, `read_only`, `full` or `unavailable`.
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<QueueStore> {
  const { folder, mode = "relay" } = options;
  await makeFolders(folder);
  const lock = mode === "relay" ? await takeLock(folder) : null;
  try {
    const store = await SqliteStore.open(options);
    if (lock === null) return store;
    store.own(lock);
    await store.recover();
    return store;
  } catch (error) {
    lock?.[Symbol.dispose]();
    throw error;
  }
}

class SqliteStore implements QueueStore {
  readonly #clock: Clock;
  readonly #spoolFolder: string;
  readonly #linkOptions: LinkOptions;
  readonly #writer: Link;
  /** A second connection, so that queries do not keep commits waiting. Opened when needed. */
  #reader: Promise<Link> | null = null;
  #lock: Disposable | null = null;
  readonly #listeners: Set<() => void>;
  #closed = false;

  private constructor(
    { writer, linkOptions, clock, listeners }: {
      writer: Link;
      linkOptions: LinkOptions;
      clock: Clock;
      listeners: Set<() => void>;
    },
  ) {
    this.#writer = writer;
    this.#linkOptions = linkOptions;
    this.#clock = clock;
    this.#listeners = listeners;
    this.#spoolFolder = `${linkOptions.folder}/${SPOOL_FOLDER}`;
  }

  static async open(
    {
      folder,
      clock = systemClock,
      workerUrl = new URL("./worker.ts", import.meta.url),
    }: SqliteStoreOptions,
  ): Promise<SqliteStore> {
    const listeners = new Set<() => void>();
    const onChange = (): void => listeners.forEach((listener) => listener());
    const linkOptions: LinkOptions = {
      ...{ workerUrl, folder, onChange },
      role: "writer",
      watchMs: WATCH_MS,
    };
    const writer = await Link.open(linkOptions);
    return new SqliteStore({ writer, linkOptions, clock, listeners });
  }

  /** Keeps the lock of the folder until the store is closed. */
  own(lock: Disposable): void {
    this.#lock = lock;
  }

  /** Ends the claims of a process that died here, and removes its unfinished spool files. */
  async recover(): Promise<void> {
    try {
      const nowMs = this.#clock.now();
      await this.#inSteps((limit) => this.#write("interrupt", () => ({ nowMs, limit })));
      const names = await this.#write("spoolNames", () => null);
      await removeOrphans(this.#spoolFolder, names);
    } catch (error) {
      await this.#writer.close();
      throw error;
    }
  }

  async put(message: NewMessage): Promise<void> {
    const nowMs = this.#clock.now();
    await this.#write("put", (attach) => packMessage(message, { attach, nowMs }));
  }

  async claim(request: ClaimRequest): Promise<ClaimResult> {
    return unpackClaim(await this.#write("claim", () => request));
  }

  async renew(
    request: { owner: string; messageIds: readonly string[]; untilMs: number },
  ): Promise<void> {
    await this.#write("renew", () => request);
  }

  async settle(settlement: Settlement): Promise<void> {
    const nowMs = this.#clock.now();
    await this.#write("settle", (attach) => packSettlement(settlement, { attach, nowMs }));
  }

  abandon({ owner }: { owner: string; nowMs: number }): Promise<number> {
    return this.#inSteps((limit) => this.#write("abandon", () => ({ owner, limit })));
  }

  async body(messageId: string): Promise<AsyncIterable<Uint8Array> | null> {
    const body = await this.#read("body", messageId);
    if (body === null) return null;
    if (body.kind === "inline") return inChunks(body.bytes);
    return readSpooled(this.#spoolFolder, body.name);
  }

  async get(messageId: string): Promise<MessageDetail | null> {
    const detail = await this.#read("get", messageId);
    return detail === null ? null : unpackDetail(detail);
  }

  async list(
    { filter, limit, cursor }: { filter: MessageFilter; limit: number; cursor?: string },
  ): Promise<MessagePage> {
    const below = cursor === undefined ? null : Number(cursor);
    const page = await this.#read("list", { filter, limit, below });
    return {
      items: page.items.map(unpackListItem),
      cursor: page.below === null ? null : String(page.below),
    };
  }

  count(filter: MessageFilter): Promise<number> {
    return this.#read("count", filter);
  }

  async command(
    request: { filter: MessageFilter; command: QueueCommand; nowMs: number; by: string },
  ): Promise<number> {
    let below: number | null = null;
    let total = 0;
    do {
      const step: Calls["command"]["result"] = await this.#write("command", () => ({
        ...request,
        below,
      }));
      total += step.changed;
      below = step.below;
    } while (below !== null);
    return total;
  }

  stats(): Promise<StoreStats> {
    return this.#read("stats", null);
  }

  async purge({ beforeMs, limit }: { beforeMs: number; limit: number }): Promise<number> {
    let left = limit;
    while (left > 0) {
      const step = Math.min(left, STEP_LIMIT);
      const purged = await this.#write("purge", () => ({ beforeMs, limit: step }));
      left -= purged;
      if (purged < step) break;
    }
    return limit - left;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  spool(): SpoolWriter {
    return spoolWriter(this.#spoolFolder);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#listeners.clear();
    const reader = await this.#reader?.catch(() => null);
    await reader?.close();
    await this.#writer.close();
    this.#lock?.[Symbol.dispose]();
  }

  #write<Name extends CallName>(
    name: Name,
    pack: Pack<Name>,
  ): Promise<Calls[Name]["result"]> {
    return this.#closed ? Promise.reject(closedError()) : this.#writer.call(name, pack);
  }

  async #read<Name extends CallName>(
    name: Name,
    args: Calls[Name]["args"],
  ): Promise<Calls[Name]["result"]> {
    if (this.#closed) throw closedError();
    this.#reader ??= this.#openReader();
    const reader = await this.#reader;
    return reader.call(name, () => args);
  }

  async #openReader(): Promise<Link> {
    try {
      return await Link.open({ ...this.#linkOptions, role: "reader", watchMs: 0 });
    } catch (error) {
      this.#reader = null; // The next query tries again.
      throw error;
    }
  }

  /** Repeats a step until it finds less than a whole step to do; returns how much it did. */
  async #inSteps(step: (limit: number) => Promise<number>): Promise<number> {
    for (let total = 0;;) {
      const done = await step(STEP_LIMIT);
      total += done;
      if (done < STEP_LIMIT) return total;
    }
  }
}

function closedError(): StoreError {
  return new StoreError("closed", "Cannot use the queue: it is closed");
}

async function* inChunks(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += CHUNK_BYTES) {
    yield bytes.subarray(start, start + CHUNK_BYTES);
  }
}
