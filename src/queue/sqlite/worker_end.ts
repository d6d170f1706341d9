import { StoreError } from "../store.ts";
import { Database } from "./database.ts";
import { type Engine, readingEngine, writingEngine } from "./engine.ts";
import { failureOf, storeError } from "./failure.ts";
import { DATABASE_FILE, makeDatabaseFile, SPOOL_FOLDER } from "./folder.ts";
import { type DatabaseFacts, inspectDatabase, snapshotDatabase } from "./inspect.ts";
import type { Request, Response } from "./protocol.ts";
import { migrate } from "./schema.ts";

type OpenRequest = Extract<Request, { kind: "open" }>;

const PRAGMAS: readonly string[] = [
  "journal_mode = WAL",
  "synchronous = FULL",
  "cache_size = -65536",
  "temp_store = MEMORY",
];
/** Searches look at much that they do not come back to, so it is mapped and not copied. */
const READER_PRAGMAS: readonly string[] = ["user_version", `mmap_size = ${512 * 1024 * 1024}`];
/** How long to wait for a lock that the command line holds for a moment. */
const BUSY_TIMEOUT_MS = 5_000;

/** What the end of a store in a worker needs of the thread that it is in. */
export interface WorkerThread {
  /** Answers; the buffers change hands. */
  readonly say: (response: Response, handOver: ArrayBuffer[]) => void;
  /** Calls back time and again; the function returned ends it. */
  readonly every: (periodMs: number, callback: () => void) => () => void;
  /** Ends the thread. */
  readonly end: () => void;
  /** Makes the connection; absent means `openDatabase`. */
  readonly connect?: typeof openDatabase;
}

/** The worker's end of a store: one connection, and the engine on it. */
export class WorkerEnd {
  readonly #thread: WorkerThread;
  #database: Database | null = null;
  #engine: Engine | null = null;
  #endWatch: (() => void) | null = null;
  #seenVersion: unknown = null;

  constructor(thread: WorkerThread) {
    this.#thread = thread;
  }

  /** Does what it is asked, and says what came of it. */
  answer(request: Request): void {
    switch (request.kind) {
      case "open":
        return this.#open(request);
      case "batch":
        return this.#run(request);
      case "snapshot":
        return void this.#inspected(() => snapshotDatabase(request));
      case "inspect":
        return void this.#inspected(() => inspectDatabase(request.path));
      case "close":
        return this.#close();
    }
  }

  #open({ role, folder, keepsFailed, watchMs }: OpenRequest): void {
    try {
      const { connect = openDatabase } = this.#thread;
      const database = connect(role, folder);
      this.#database = database;
      const options = { database, keepsFailed, spoolFolder: `${folder}/${SPOOL_FOLDER}` };
      this.#engine = role === "writer" ? writingEngine(options) : readingEngine(options);
      if (watchMs > 0) this.#startWatch(database, watchMs);
      this.#say({ kind: "opened" });
    } catch (error) {
      this.#database?.[Symbol.dispose]();
      this.#say({ kind: "failed", failure: failureOf(error) });
    }
  }

  #run(batch: Extract<Request, { kind: "batch" }>): void {
    if (this.#engine === null) throw new Error("Cannot run a batch: the store is not open");
    try {
      const { answer, handOver } = this.#engine.run(batch);
      this.#say(answer, handOver);
    } catch (error) {
      // Nobody comes back to this connection; with its end others get the lock that it may hold.
      this.#endWatch?.();
      this.#database?.[Symbol.dispose]();
      throw error;
    }
  }

  #close(): void {
    this.#endWatch?.();
    this.#database?.[Symbol.dispose]();
    this.#say({ kind: "closed" });
    this.#thread.end();
  }

  /** Answers with what an inspection found, or with its failure. */
  async #inspected(inspect: () => DatabaseFacts | Promise<DatabaseFacts>): Promise<void> {
    try {
      this.#say({ kind: "inspected", facts: await inspect() });
    } catch (error) {
      this.#say({ kind: "failed", failure: failureOf(error) });
    }
  }

  #say(response: Response, handOver: ArrayBuffer[] = []): void {
    this.#thread.say(response, handOver);
  }

  /** `data_version` changes when another connection commits, and not for our own commits. */
  #startWatch(database: Database, watchMs: number): void {
    this.#seenVersion = database.pragma("data_version");
    this.#endWatch = this.#thread.every(watchMs, () => {
      const version = database.pragma("data_version");
      if (version === this.#seenVersion) return;
      this.#seenVersion = version;
      this.#say({ kind: "changed" });
    });
  }
}

/**
 * Opens a connection to the database in a folder; the writer makes it when it is not there.
 *
 * @throws StoreError when it cannot be opened.
 */
export function openDatabase(role: "writer" | "reader", folder: string): Database {
  const path = `${folder}/${DATABASE_FILE}`;
  if (role === "writer") makeDatabaseFile(path);
  const database = new Database(path, { readOnly: role === "reader" });
  try {
    database.script(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
    // An index made for one query takes longer to make than the query without it.
    database.pragma("automatic_index = OFF");
    if (role === "reader") {
      for (const pragma of READER_PRAGMAS) database.pragma(pragma);
      return database;
    }
    migrate(database);
    for (const pragma of PRAGMAS) database.pragma(pragma);
    if (database.pragma("journal_mode") !== "wal") {
      throw new StoreError("unavailable", "Cannot open the queue: no write-ahead log");
    }
    return database;
  } catch (error) {
    database[Symbol.dispose]();
    throw storeError(`open the queue ${path}`, error);
  }
}
