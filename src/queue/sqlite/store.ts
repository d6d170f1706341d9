import { type Clock, systemClock } from "../../base/clock.ts";
import {
  type BodyOptions,
  type ClaimRequest,
  type ClaimResult,
  type CommandRequest,
  type ListRequest,
  type MessageDetail,
  type MessageFilter,
  type MessagePage,
  type NewMessage,
  type Outbox,
  type PartialCount,
  type QueueShape,
  type QueueStore,
  type Settlement,
  type ShapeRequest,
  type Shelf,
  type SpoolWriter,
  StoreError,
  type StoreStats,
} from "../store.ts";
import { Connection } from "./connection.ts";
import { isDivisible } from "./counting.ts";
import type { OpenFile } from "./files.ts";
import { makeFolders, OWNERS_FOLDER, SPOOL_FOLDER, takeLock } from "./folder.ts";
import { type StoreThreads, workerThreads } from "./link.ts";
import { sqliteOutbox } from "./outbox.ts";
import {
  packMessage,
  packMessages,
  packSettlement,
  unpackClaim,
  unpackDetail,
  unpackListItem,
} from "./pack.ts";
import { isDivisiblePage, joinPages } from "./page.ts";
import type { CallName, Calls, Part } from "./protocol.ts";
import { sqliteShelf } from "./shelf.ts";
import { Spool } from "./spool.ts";
import { readSpooled } from "./spool_read.ts";

const CHUNK_BYTES = 64 * 1024;
/** How much of a long job is done in one transaction, so that others need not wait for it. */
const STEP_LIMIT = 500;
const WATCH_MS = 300;
/** So many claims in a row are told apart; half a millisecond in a double has that many places. */
const CLAIM_MARKS = 1_024;

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
  /** Whether octets of messages that failed stay until `dropBodies`; default false. */
  readonly keepsFailed?: boolean;
  /** Where the worker's module is, for programs that are bundled. */
  readonly workerUrl?: string | URL;
  /** Where the engine works; absent means in workers of their own. */
  readonly threads?: StoreThreads;
  /** How files are opened besides the database. */
  readonly openFile?: OpenFile;
}

/**
 * Opens the queue in a folder.
 *
 * @throws StoreError `locked`, `newer_schema`, `corrupt`, `read_only`, `full` or `unavailable`.
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<QueueStore> {
  const { folder, mode = "relay", openFile = Deno.open } = options;
  await makeFolders(folder);
  const lock = mode === "relay" ? await takeLock(folder, openFile) : null;
  try {
    const store = new SqliteStore(options);
    await store.open();
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
  readonly shelf: Shelf;
  readonly outbox: Outbox;
  readonly #clock: Clock;
  readonly #spoolFolder: string;
  readonly #openFile: OpenFile;
  readonly #spool: Spool;
  readonly #writer: Connection;
  /** A second connection, so that queries do not keep commits waiting. */
  readonly #reader: Connection;
  /** A third one, which looks at one half of the messages while the other looks at the rest. */
  readonly #second: Connection;
  readonly #listeners = new Set<() => void>();
  #lock: Disposable | null = null;
  #claims = 0;

  constructor(
    {
      folder,
      clock = systemClock,
      keepsFailed = false,
      workerUrl = new URL("./worker.ts", import.meta.url),
      threads = workerThreads(workerUrl),
      openFile = Deno.open,
    }: SqliteStoreOptions,
  ) {
    const onChange = (): void => this.#listeners.forEach((listener) => listener());
    const common = { folder, threads, keepsFailed, onChange };
    this.#clock = clock;
    this.#openFile = openFile;
    this.#spoolFolder = `${folder}/${SPOOL_FOLDER}`;
    this.#spool = new Spool({
      folder: this.#spoolFolder,
      ownersFolder: `${folder}/${OWNERS_FOLDER}`,
      openFile,
    });
    this.#writer = new Connection({ ...common, role: "writer", watchMs: WATCH_MS });
    this.#reader = new Connection({ ...common, role: "reader", watchMs: 0 });
    this.#second = new Connection({ ...common, role: "reader", watchMs: 0 });
    const connections = { writer: this.#writer, reader: this.#reader };
    this.shelf = sqliteShelf({ writer: this.#writer, clock });
    this.outbox = sqliteOutbox(connections);
  }

  async open(): Promise<void> {
    await this.#writer.open();
  }

  /** Keeps the lock of the folder until the store is closed. */
  own(lock: Disposable): void {
    this.#lock = lock;
  }

  /** Ends the claims of a process that died here, and removes its unfinished spool files. */
  async recover(): Promise<void> {
    try {
      const nowMs = this.#clock.now();
      await this.#inSteps((limit) => this.#writer.call("interrupt", () => ({ nowMs, limit })));
      await this.#clearSpool({ isNew: true });
    } catch (error) {
      await this.#writer.close();
      throw error;
    }
  }

  async put(message: NewMessage): Promise<void> {
    const nowMs = this.#clock.now();
    const put = this.#writer.call("put", (attach) => packMessage(message, { attach, nowMs }));
    await this.#withSpooled([message], put);
  }

  async putAll(messages: readonly NewMessage[]): Promise<void> {
    const nowMs = this.#clock.now();
    const put = this.#writer.call(
      "putAll",
      (attach) => packMessages(messages, { attach, nowMs }),
    );
    await this.#withSpooled(messages, put);
  }

  async claim(request: ClaimRequest): Promise<ClaimResult> {
    // A fraction of a millisecond tells the claims of this call from all others.
    this.#claims = this.#claims % CLAIM_MARKS + 1;
    const leaseMs = request.leaseMs + this.#claims / (2 * CLAIM_MARKS);
    return unpackClaim(await this.#writer.call("claim", () => ({ ...request, leaseMs })));
  }

  async renew(
    { owner, messageIds, untilMs }: {
      owner: string;
      messageIds: readonly string[];
      untilMs: number;
    },
  ): Promise<void> {
    for (let start = 0; start < messageIds.length; start += STEP_LIMIT) {
      const some = messageIds.slice(start, start + STEP_LIMIT);
      await this.#writer.call("renew", () => ({ owner, messageIds: some, untilMs }));
    }
  }

  async settle(settlement: Settlement): Promise<void> {
    const nowMs = this.#clock.now();
    await this.#writer.call("settle", (attach) => packSettlement(settlement, { attach, nowMs }));
  }

  abandon(
    { owner, endedMs = Number.MAX_SAFE_INTEGER }: {
      owner: string;
      nowMs: number;
      endedMs?: number;
    },
  ): Promise<number> {
    return this.#inSteps((limit) =>
      this.#writer.call("abandon", () => ({ owner, endedMs, limit }))
    );
  }

  async body(
    messageId: string,
    { from = 0, reuse = false }: BodyOptions = {},
  ): Promise<AsyncIterable<Uint8Array> | null> {
    const body = await this.#read("body", messageId);
    if (body === null) return null;
    if (body.kind === "inline") return inChunks(body.bytes.subarray(from));
    const headBytes = body.head?.length ?? 0;
    const chunks = await readSpooled(this.#spoolFolder, {
      name: body.name,
      openFile: this.#openFile,
      from: Math.max(0, from - headBytes),
      reuse,
    });
    if (chunks === null || body.head === null || from >= headBytes) return chunks;
    return behind(body.head.subarray(from), chunks);
  }

  async get(messageId: string): Promise<MessageDetail | null> {
    const detail = await this.#read("get", messageId);
    return detail === null ? null : unpackDetail(detail);
  }

  async list(request: ListRequest): Promise<MessagePage> {
    const pages = await this.#inParts("list", isDivisiblePage(request), request);
    const [page = { items: [], cursor: null }] = pages;
    const { items, cursor } = pages.length > 1 ? joinPages(pages, request) : page;
    return { items: items.map(unpackListItem), cursor };
  }

  async count(filter: MessageFilter): Promise<number> {
    return (await this.countWithin(filter, Infinity)).count;
  }

  async countWithin(filter: MessageFilter, withinMs: number): Promise<PartialCount> {
    const counts = await this.#inParts("count", isDivisible(filter), { filter, withinMs });
    return {
      count: counts.reduce((sum, { count }) => sum + count, 0),
      isComplete: counts.every(({ isComplete }) => isComplete),
    };
  }

  async command(request: CommandRequest): Promise<number> {
    let after: number | null = null;
    let total = 0;
    do {
      const step: Calls["command"]["result"] = await this.#writer.call("command", () => ({
        ...request,
        after,
      }));
      total += step.changed;
      after = step.after;
    } while (after !== null);
    return total;
  }

  stats(): Promise<StoreStats> {
    return this.#writer.call("stats", () => null);
  }

  shape(request: ShapeRequest): Promise<QueueShape> {
    return this.#read("shape", request);
  }

  async purge({ beforeMs, limit }: { beforeMs: number; limit: number }): Promise<number> {
    let left = limit;
    while (left > 0) {
      const step = Math.min(left, STEP_LIMIT);
      const purged = await this.#writer.call("purge", () => ({ beforeMs, limit: step }));
      left -= purged;
      if (purged < step) break;
    }
    if (this.#lock !== null) await this.#clearSpool({ isNew: false });
    return limit - left;
  }

  async dropBodies({ beforeMs, limit }: { beforeMs: number; limit: number }): Promise<number> {
    return await this.#writer.call("dropBodies", () => ({ beforeMs, limit }));
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  spool(): SpoolWriter {
    return this.#spool.writer();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listeners.clear();
    await this.#second.close();
    await this.#reader.close();
    await this.#writer.close();
    await this.#spool.close();
    this.#lock?.[Symbol.dispose]();
    this.#lock = null;
  }

  /** Takes the spool files of messages over with their commit, or removes them. */
  async #withSpooled(messages: readonly NewMessage[], put: Promise<null>): Promise<void> {
    try {
      await put;
      this.#spool.keep(messages);
    } catch (error) {
      if (error instanceof StoreError) await this.#spool.refuse(messages, error);
      throw error;
    }
  }

  async #clearSpool({ isNew }: { isNew: boolean }): Promise<void> {
    const known = (): Promise<string[]> => this.#writer.call("spoolNames", () => null);
    await this.#spool.clear({ isNew, known });
  }

  #read<Name extends CallName>(
    name: Name,
    args: Calls[Name]["args"],
  ): Promise<Calls[Name]["result"]> {
    return this.#reader.call(name, () => args);
  }

  /** Has a query answered by one reader, or by two that look at one half of the messages each. */
  #inParts<Name extends "list" | "count">(
    name: Name,
    isDivided: boolean,
    args: Omit<Calls[Name]["args"], keyof Part>,
  ): Promise<Calls[Name]["result"][]> {
    const readers = isDivided ? [this.#reader, this.#second] : [this.#reader];
    return Promise.all(
      readers.map((reader, part) =>
        reader.call(name, () => ({ ...args, part, parts: readers.length } as Calls[Name]["args"]))
      ),
    );
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

async function* behind(
  head: Uint8Array,
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  yield* inChunks(head);
  yield* chunks;
}

async function* inChunks(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += CHUNK_BYTES) {
    yield bytes.subarray(start, start + CHUNK_BYTES);
  }
}
