import { claimHandler } from "./claim.ts";
import { commandHandler } from "./command.ts";
import { Counters } from "./counters.ts";
import type { Database } from "./database.ts";
import { failureOf } from "./failure.ts";
import { removeIfThere } from "./files.ts";
import { leases as makeLeases } from "./lease.ts";
import type { CallName, Handlers, PackedMessage, Response } from "./protocol.ts";
import { bodyDropper, messageRemover, purgeHandler } from "./purge.ts";
import { type MessageWriter, messageWriter } from "./put.ts";
import { eventWriter, outboxReaders, outboxWriters } from "./outbox_table.ts";
import { queryHandlers, statsReader } from "./query.ts";
import { recipientTable } from "./recipient.ts";
import { settleHandler } from "./settle.ts";
import { recordWriter, shelfReaders, shelfWriters } from "./shelf_table.ts";
import { timelineWriter } from "./timeline.ts";
import type { Workbench } from "./workbench.ts";

type BatchCall = readonly [CallName, unknown];
type Answer = Extract<Response, { kind: "done" }>;

/** Where and on what an engine works. */
export interface EngineOptions {
  readonly database: Database;
  readonly spoolFolder: string;
  /** As in `Workbench`. */
  readonly keepsFailed: boolean;
}

/** An engine that writes: each batch is one transaction. */
export function writingEngine(options: EngineOptions): Engine {
  const bench = workbench(options);
  const timeline = timelineWriter(bench.database);
  const table = recipientTable(bench);
  const tell = eventWriter(bench.database);
  const write = messageWriter(bench, { tell });
  const put = (message: PackedMessage): null => {
    write(message);
    return null;
  };
  const shelf = recordWriter(bench);
  const leases = makeLeases(bench, { timeline });
  const remove = messageRemover(bench);
  const claim = claimHandler(bench, { leases, table, timeline });
  const spoolNames = bench.database.prepare<[string]>(
    "SELECT DISTINCT spool FROM messages WHERE spool IS NOT NULL AND (done_at IS NULL OR kept = 1)",
  );
  return new Engine(bench, {
    readOnly: false,
    handlers: {
      put,
      putAll(messages) {
        writeTogether(messages, write);
        return null;
      },
      claim,
      settle: settleHandler(bench, { table, timeline, tell, put, shelf }),
      renew: (request) => leases.renew(request),
      abandon: (request) => leases.abandon(request),
      interrupt: ({ nowMs, limit }) => leases.interruptAll({ nowMs, limit }),
      command: commandHandler(bench, { table, timeline, remove, tell }),
      purge: purgeHandler(bench, { remove }),
      dropBodies: bodyDropper(bench),
      spoolNames: () => spoolNames.all().map(([name]) => name),
      stats: statsReader(bench),
      ...shelfReaders(bench.database),
      ...shelfWriters(bench.database, { shelf }),
      ...outboxWriters(bench.database, { tell }),
    },
  });
}

/** Stores messages, each of which may share the octets of one before it. */
function writeTogether(messages: readonly PackedMessage[], write: MessageWriter): void {
  const sequences: number[] = [];
  messages.forEach((message, position) => {
    const sharesWith = message.at(-1);
    const isFirst = typeof sharesWith !== "number" || sharesWith === position;
    sequences.push(write(message, isFirst ? undefined : sequences[sharesWith]));
  });
}

/** An engine that reads: each call sees one state of the database. */
export function readingEngine(options: EngineOptions): Engine {
  const bench = workbench(options);
  const { database } = bench;
  return new Engine(bench, {
    readOnly: true,
    handlers: { ...queryHandlers(bench), ...outboxReaders(database) },
  });
}

function workbench({ database, spoolFolder, keepsFailed }: EngineOptions): Workbench {
  const counters = new Counters(database);
  return {
    ...{ database, counters, spoolFolder, keepsFailed },
    owners: new Set(),
    bytes: new Uint8Array(0),
    isAgain: false,
    handOver: [],
    unspooled: [],
  };
}

/** A transaction could not be undone: nothing more can be done on this connection. */
class ConnectionLost extends Error {
  override readonly name = "ConnectionLost";
}

/** Runs batches of calls on one connection. */
export class Engine {
  readonly #bench: Workbench;
  readonly #handlers: Handlers;
  readonly #readOnly: boolean;

  constructor(
    bench: Workbench,
    { handlers, readOnly }: { handlers: Handlers; readOnly: boolean },
  ) {
    this.#bench = bench;
    this.#handlers = handlers;
    this.#readOnly = readOnly;
  }

  /**
   * Runs a batch. What is written is on disk when this returns. When a call fails, all are run
   * again one by one, so that the good ones do not fail with it.
   *
   * @throws ConnectionLost when it has to be closed.
   * @returns the answer, and the buffers that change hands with it.
   */
  run(
    { calls, bytes, isAgain }: {
      calls: readonly BatchCall[];
      bytes: ArrayBuffer;
      isAgain: boolean;
    },
  ): { answer: Answer; handOver: ArrayBuffer[] } {
    this.#bench.bytes = new Uint8Array(bytes);
    this.#bench.isAgain = isAgain;
    const { results, failures } = this.#readOnly ? this.#runEach(calls) : this.#runAll(calls);
    this.#bench.bytes = new Uint8Array(0);
    const handOver = this.#bench.handOver.splice(0);
    handOver.push(bytes);
    return { answer: { kind: "done", results, failures, bytes }, handOver };
  }

  #runAll(calls: readonly BatchCall[]): Pick<Answer, "results" | "failures"> {
    try {
      return { results: this.#transaction(calls), failures: [] };
    } catch (error) {
      if (error instanceof ConnectionLost) throw error;
      if (calls.length > 1) return this.#runEach(calls);
      const { kind, message } = failureOf(error);
      return { results: [null], failures: [[0, kind, message]] };
    }
  }

  #runEach(calls: readonly BatchCall[]): Pick<Answer, "results" | "failures"> {
    const results: unknown[] = [];
    const failures: Answer["failures"][number][] = [];
    calls.forEach((call, position) => {
      try {
        results.push(...this.#transaction([call]));
      } catch (error) {
        if (error instanceof ConnectionLost) throw error;
        const { kind, message } = failureOf(error);
        results.push(null);
        failures.push([position, kind, message]);
      }
    });
    return { results, failures };
  }

  #transaction(calls: readonly BatchCall[]): unknown[] {
    const { database, counters, handOver, unspooled } = this.#bench;
    const handedOver = handOver.length;
    try {
      if (this.#readOnly) database.beginRead();
      else database.begin();
      const results = calls.map(([name, args]) => this.#dispatch(name, args));
      counters.flush();
      database.commit(); // The commit point: what the batch did is on disk from here on.
      this.#removeSpooled();
      return results;
    } catch (error) {
      this.#rollback(error);
      counters.forget();
      handOver.length = handedOver;
      unspooled.length = 0;
      throw error;
    }
  }

  #rollback(cause: unknown): void {
    try {
      this.#bench.database.rollback();
    } catch {
      throw new ConnectionLost("Cannot undo a transaction", { cause });
    }
  }

  #dispatch(name: CallName, args: unknown): unknown {
    // The caller's side is typed by the same table, which is lost on the way.
    const handler = this.#handlers[name] as ((args: unknown) => unknown) | undefined;
    if (handler === undefined) throw new Error(`no handler, got ${name}`);
    return handler(args);
  }

  /** A file that stays behind is removed when the store is opened the next time. */
  #removeSpooled(): void {
    const { unspooled, spoolFolder } = this.#bench;
    for (const name of unspooled.splice(0)) {
      try {
        removeIfThere(`${spoolFolder}/${name}`);
      } catch {
        continue;
      }
    }
  }
}
