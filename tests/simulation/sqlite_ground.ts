import { setImmediate } from "node:timers";
import { DATABASE_FILE, SPOOL_FOLDER } from "../../src/queue/sqlite/folder.ts";
import type { StoreThreads, WorkerEars, WorkerPort } from "../../src/queue/sqlite/link.ts";
import type { Request } from "../../src/queue/sqlite/protocol.ts";
import { openSqliteStore } from "../../src/queue/sqlite/store.ts";
import type { Database } from "../../src/queue/sqlite/database.ts";
import { openDatabase, WorkerEnd } from "../../src/queue/sqlite/worker_end.ts";
import type { MessageDetail, OutboxEvent, QueueStore } from "../../src/queue/store.ts";
import { gatedStore } from "./store_gate.ts";
import { type Ground, Life, type World } from "./world.ts";

/**
 * The SQLite store in a folder, with its engine in this thread. The world stands still while it
 * works; what is slow or fails is between it and the relay, or in its worker, which may die before
 * or after a commit.
 */
export class SqliteGround implements Ground {
  readonly lookShare = 0.2;
  readonly fillsUp = true;
  readonly isOwned = true;
  readonly #world: World;
  readonly #folder: string;
  readonly #processes = new Map<Life, StoreProcess>();
  readonly #watchers = new Set<() => void>();
  #looker: QueueStore | null = null;

  private constructor(world: World, folder: string) {
    this.#world = world;
    this.#folder = folder;
  }

  /** `template` is a database without a message, which is faster to copy than to make. */
  static async make(
    world: World,
    { folder, template }: { folder: string; template: string },
  ): Promise<SqliteGround> {
    const own = `${folder}/queue`;
    await Deno.mkdir(own, { recursive: true });
    await Deno.copyFile(template, `${own}/${DATABASE_FILE}`);
    return new SqliteGround(world, own);
  }

  /** The store alone, for somebody who compares it with another. */
  async openBare(life: Life): Promise<QueueStore> {
    const process = new StoreProcess(this.#world, { life, watchers: new Set() });
    this.#processes.set(life, process);
    const { settings: { keepsFailed } } = this.#world.plan;
    const clock = this.#world.clock.viewFor(life);
    const { openFile } = process;
    return await this.#world.track(
      openSqliteStore({ folder: this.#folder, threads: process, openFile, clock, keepsFailed }),
    );
  }

  async open(life: Life, mode: "relay" | "tool" = "relay"): Promise<QueueStore> {
    const process = new StoreProcess(this.#world, { life, watchers: this.#watchers });
    this.#processes.set(life, process);
    const { settings } = this.#world.plan;
    const store = await this.#world.track(openSqliteStore({
      ...{ mode, folder: this.#folder, threads: process, openFile: process.openFile },
      clock: this.#world.clock.viewFor(life),
      keepsFailed: settings.keepsFailed,
    }));
    return gatedStore(store, { world: this.#world, life });
  }

  killed(life: Life): void {
    this.#processes.get(life)?.kill();
    this.#processes.delete(life);
  }

  changedElsewhere(): void {
    for (const watcher of this.#watchers) watcher();
  }

  openOf(life: Life): number {
    return this.#processes.get(life)?.openCount ?? 0;
  }

  async peek(id: string): Promise<MessageDetail | null> {
    const store = await this.#looking();
    return await this.#world.track(store.get(id));
  }

  async peekAll(): Promise<readonly MessageDetail[]> {
    const store = await this.#looking();
    const list = store.list({ filter: {}, limit: 100_000, order: "oldest" });
    const page = await this.#world.track(list);
    const details: MessageDetail[] = [];
    for (const { message: { id } } of page.items) {
      const detail = await this.peek(id);
      if (detail !== null) details.push(detail);
    }
    return details;
  }

  async spoolFiles(): Promise<number> {
    const names = await this.#world.track(
      Array.fromAsync(Deno.readDir(`${this.#folder}/${SPOOL_FOLDER}`)),
    );
    return names.length;
  }

  async outboxEvents(): Promise<readonly OutboxEvent[]> {
    const store = await this.#looking();
    return await this.#world.track(store.outbox.read({ after: 0, limit: 1_000_000 }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#looker?.[Symbol.asyncDispose]();
    for (const process of this.#processes.values()) process.kill();
    await Deno.remove(this.#folder, { recursive: true });
  }

  /** Somebody who only looks, as a tool does beside the relay. */
  async #looking(): Promise<QueueStore> {
    if (this.#looker !== null) return this.#looker;
    const life = new Life(0);
    const process = new StoreProcess(this.#world, { life, watchers: new Set() });
    this.#processes.set(life, process);
    const { folder, openFile } = { folder: this.#folder, openFile: process.openFile };
    const opening = openSqliteStore({ folder, openFile, threads: process, mode: "tool" });
    this.#looker = await this.#world.track(opening);
    return this.#looker;
  }
}

/** What one process has open: connections to the database, and files. */
class StoreProcess implements StoreThreads {
  readonly #world: World;
  readonly #life: Life;
  readonly #watchers: Set<() => void>;
  readonly #workers = new Set<WorldWorker>();
  readonly #files = new Set<Deno.FsFile>();

  constructor(
    world: World,
    { life, watchers }: { life: Life; watchers: Set<() => void> },
  ) {
    this.#world = world;
    this.#life = life;
    this.#watchers = watchers;
  }

  start(_role: "writer" | "reader", ears: WorkerEars): WorkerPort {
    const worker = new WorldWorker(this.#world, {
      ...{ ears, watchers: this.#watchers, soon: (callback) => this.soon(callback) },
      canDie: this.#life.number > 0,
    });
    this.#workers.add(worker);
    return worker;
  }

  /** When all calls of this moment are made. */
  soon(callback: () => void): void {
    const turn = new Promise<void>((resolve) => setImmediate(resolve));
    this.#world.track(turn).then(() => {
      if (this.#life.isAlive) callback();
    });
  }

  /** Opens a file that is closed with the process. */
  readonly openFile = async (path: string, options?: Deno.OpenOptions): Promise<Deno.FsFile> => {
    const file = await Deno.open(path, options);
    this.#files.add(file);
    const [close, write] = [file.close.bind(file), file.write.bind(file)];
    const end = file[Symbol.dispose].bind(file);
    file.close = () => {
      this.#files.delete(file);
      close();
    };
    file[Symbol.dispose] = () => {
      this.#files.delete(file);
      end();
    };
    file.write = (octets) => this.#isFull ? Promise.reject(noSpace()) : write(octets);
    return file;
  };

  /** Files, and connections to the database. */
  get openCount(): number {
    return this.#files.size + [...this.#workers].filter(({ isClosed }) => !isClosed).length;
  }

  get #isFull(): boolean {
    return this.#life.number > 0 && this.#world.hasTrouble("full");
  }

  kill(): void {
    for (const worker of this.#workers) worker.terminate();
    for (const file of [...this.#files]) closeIfOpen(file);
  }
}

/** What the runtime throws when the disk is full. */
function noSpace(): Error {
  return Object.assign(new Error("No space left on device (os error 28)"), { code: "ENOSPC" });
}

/** As many pages as a database may have. */
const MOST_PAGES = 2 ** 30;

/** A worker that answers in the same moment, unless it dies. */
class WorldWorker implements WorkerPort {
  readonly #world: World;
  readonly #ears: WorkerEars;
  readonly #watchers: Set<() => void>;
  readonly #soon: (callback: () => void) => void;
  readonly #canDie: boolean;
  readonly #end: WorkerEnd;
  /** Nothing is heard of it any more. */
  #isOver = false;
  #isClosed = false;
  #database: Database | null = null;
  #isFull = false;

  constructor(world: World, { ears, watchers, soon, canDie }: {
    ears: WorkerEars;
    watchers: Set<() => void>;
    soon: (callback: () => void) => void;
    canDie: boolean;
  }) {
    this.#world = world;
    this.#ears = ears;
    this.#watchers = watchers;
    this.#soon = soon;
    this.#canDie = canDie;
    this.#end = new WorkerEnd({
      say: (response) =>
        this.#soon(() => {
          if (!this.#isOver) this.#ears.onResponse(response);
        }),
      every: (_periodMs, callback) => {
        this.#watchers.add(callback);
        return () => this.#watchers.delete(callback);
      },
      end: () => this.#isClosed = true,
      connect: (role, folder) => {
        const database = openDatabase(role, folder);
        if (role === "writer") this.#database = database;
        return database;
      },
    });
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  postMessage(request: Request): void {
    if (this.#isOver) return;
    const isDying = this.#canDie && request.kind === "batch" && this.#world.hasTrouble("worker");
    if (isDying && this.#world.roll("the worker dies first") < 0.5) return this.#die();
    if (this.#canDie && request.kind === "batch") this.#fill(this.#world.hasTrouble("full"));
    this.#end.answer(request);
    if (isDying) this.#die();
  }

  /** Lets the database grow no more, or again. */
  #fill(isFull: boolean): void {
    if (isFull === this.#isFull || this.#database === null) return;
    this.#isFull = isFull;
    this.#database.pragma(`max_page_count = ${isFull ? 1 : MOST_PAGES}`);
  }

  terminate(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (!this.#isClosed) this.#end.answer({ kind: "close" });
  }

  #die(): void {
    this.#world.note(() => "    the worker of the store dies");
    this.terminate();
    this.#soon(() => this.#ears.onFailure("it died, as the world wants it"));
  }
}

function closeIfOpen(file: Deno.FsFile): void {
  try {
    file.close();
  } catch {
    return; // it was closed before
  }
}

/** Makes the template of `SqliteGround.make`. */
export async function makeTemplate(folder: string): Promise<string> {
  const path = `${folder}/template`;
  await using _store = await openSqliteStore({ folder: path });
  return `${path}/${DATABASE_FILE}`;
}
