import { accessSync, constants } from "node:fs";
import { backup, DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { StoreError } from "../store.ts";
import { storeError } from "./failure.ts";

/** Columns of one row, in the order of the SELECT. */
export type Row = readonly unknown[];

/** A prepared statement whose rows are arrays. */
export class Statement<R extends Row> {
  readonly #statement: StatementSync;

  constructor(statement: StatementSync) {
    // Missing in the runtime's types; arrays cost about half of what objects do.
    (statement as StatementSync & { setReturnArrays(enabled: boolean): void })
      .setReturnArrays(true);
    this.#statement = statement;
  }

  /** Runs it and returns the row id that an INSERT gave. */
  run(...values: SQLInputValue[]): number {
    return Number(this.#statement.run(...values).lastInsertRowid);
  }

  /** The first row. */
  first(...values: SQLInputValue[]): R | undefined {
    return this.#statement.get(...values) as unknown as R | undefined;
  }

  /** All rows. */
  all(...values: SQLInputValue[]): R[] {
    return this.#statement.all(...values) as unknown as R[];
  }
}

/** Pages in one step: all of them, so that one state is copied however much is written meanwhile. */
const ALL_PAGES = 2 ** 31 - 1;

/** One connection. Statements are prepared once and kept. */
export class Database implements Disposable {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, Statement<Row>>();

  /** @throws StoreError when it cannot be opened; damage shows with the first statement. */
  constructor(path: string, { readOnly = false }: { readOnly?: boolean } = {}) {
    try {
      this.#database = new DatabaseSync(path, { readOnly, enableForeignKeyConstraints: false });
    } catch (error) {
      throw openFailure(path, error);
    }
  }

  /** The statement for `sql`, whose rows have the shape the caller gives. */
  prepare<R extends Row = never>(sql: string): Statement<R> {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = new Statement(this.#database.prepare(sql));
      this.#statements.set(sql, statement);
    }
    return statement as Statement<Row> as Statement<R>;
  }

  /** Runs several statements that give no rows. */
  script(sql: string): void {
    this.#database.exec(sql);
  }

  /**
   * Copies all of it into a new file. `VACUUM INTO` would do without free pages, but the runtime
   * refuses it to programs that may not do everything.
   */
  async copyTo(path: string): Promise<void> {
    await backup(this.#database, path, { rate: ALL_PAGES });
  }

  /** The value of a PRAGMA, which may also set it. */
  pragma(text: string): unknown {
    return this.prepare<Row>(`PRAGMA ${text}`).first()?.[0];
  }

  /** Starts a transaction that may write, so that no later step of it meets a lock. */
  begin(): void {
    // Not `exec`: its errors carry no code.
    this.prepare("BEGIN IMMEDIATE").run();
  }

  /** Starts a transaction that sees one state of the database. */
  beginRead(): void {
    this.prepare("BEGIN").run();
  }

  commit(): void {
    this.prepare("COMMIT").run();
  }

  /** Undoes the transaction; some failures have done that already. */
  rollback(): void {
    if (this.#database.isTransaction) this.prepare("ROLLBACK").run();
  }

  [Symbol.dispose](): void {
    this.#statements.clear();
    this.#database.close();
  }
}

/** SQLite says nothing of why it could not open a file, so that is found out without opening it. */
function openFailure(path: string, cause: unknown): StoreError {
  try {
    if (!Deno.statSync(path).isFile) {
      return new StoreError("corrupt", `Cannot open ${path}: not a file`, { cause });
    }
    accessSync(path, constants.R_OK);
    return storeError(`open ${path}`, cause);
  } catch (error) {
    return storeError(`open ${path}`, error);
  }
}
