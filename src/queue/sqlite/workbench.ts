import type { Counters } from "./counters.ts";
import type { Database } from "./database.ts";

/** What the handlers of a worker share while a batch runs. */
export interface Workbench {
  readonly database: Database;
  readonly counters: Counters;
  readonly spoolFolder: string;
  /** Whether octets of messages that failed stay until `dropBodies`. */
  readonly keepsFailed: boolean;
  /** Owners of claims; while there is one, no claim can be another's. */
  readonly owners: Set<string>;
  /** The octets that came with the batch. */
  bytes: Uint8Array<ArrayBuffer>;
  /** Whether the calls may have been done already, by a worker that died. */
  isAgain: boolean;
  /** Buffers that change hands with the answer. */
  readonly handOver: ArrayBuffer[];
  /** Spool files that nothing refers to once the transaction is committed. */
  readonly unspooled: string[];
}
