import { DatabaseSync } from "node:sqlite";
import { openSqliteStore, type SqliteStoreOptions } from "../../src/queue/sqlite/store.ts";
import type { QueueStore } from "../../src/queue/store.ts";
import { fixedClock } from "./messages.ts";

/** A temporary folder for a store, removed in the end. */
export class StoreFolder implements AsyncDisposable {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  static async make(): Promise<StoreFolder> {
    return new StoreFolder(await Deno.makeTempDir({ prefix: "posthouse-store-" }));
  }

  /** Opens the store; the clock stands still unless another is given. */
  open(options: Partial<SqliteStoreOptions> = {}): Promise<QueueStore> {
    return openSqliteStore({ folder: this.path, clock: fixedClock(), ...options });
  }

  /** Runs SQL on the database from outside. */
  sql(text: string): void {
    const database = new DatabaseSync(`${this.path}/queue.db`);
    try {
      database.exec(text);
    } finally {
      database.close();
    }
  }

  /** How many rows a table has. */
  rowCount(table: string): number {
    const database = new DatabaseSync(`${this.path}/queue.db`, { readOnly: true });
    try {
      return Number(database.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.["n"]);
    } finally {
      database.close();
    }
  }

  /** Names of the spool files. */
  async spooled(): Promise<string[]> {
    const entries = await Array.fromAsync(Deno.readDir(`${this.path}/spool`));
    return entries.filter(({ isFile }) => isFile).map(({ name }) => name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}
