import { StoreError, type StoreErrorKind } from "../store.ts";

/** A failure as it crosses from the worker. */
export interface Failure {
  readonly kind: StoreErrorKind;
  readonly message: string;
}

/** Primary result codes of SQLite (https://www.sqlite.org/rescode.html). */
const KIND_OF_RESULT: ReadonlyMap<number, StoreErrorKind> = new Map([
  [5, "locked"], // SQLITE_BUSY
  [6, "locked"], // SQLITE_LOCKED
  [8, "read_only"], // SQLITE_READONLY
  [11, "corrupt"], // SQLITE_CORRUPT
  [13, "full"], // SQLITE_FULL
  [26, "corrupt"], // SQLITE_NOTADB
]);
/** The memory-mapped index of the log could not grow: the disk is full. */
const SQLITE_IOERR_SHMSIZE = 4874;

const KIND_OF_SYSTEM_CODE: ReadonlyMap<string, StoreErrorKind> = new Map([
  ["ENOSPC", "full"],
  ["EDQUOT", "full"],
  ["EROFS", "read_only"],
  ["EACCES", "read_only"],
  ["EPERM", "read_only"],
]);

/** Types whatever the database or the file system threw. */
export function failureOf(error: unknown): Failure {
  if (error instanceof StoreError) return { kind: error.kind, message: error.message };
  const message = error instanceof Error ? error.message : String(error);
  return { kind: kindOf(error), message };
}

/** Makes the typed error of a failed `action`. */
export function storeError(action: string, error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  const { kind, message } = failureOf(error);
  return new StoreError(kind, `Cannot ${action}: ${message}`, { cause: error });
}

function kindOf(error: unknown): StoreErrorKind {
  if (error instanceof Deno.errors.PermissionDenied) return "read_only";
  if (error instanceof Deno.errors.NotCapable) return "read_only";
  if (typeof error !== "object" || error === null) return "unavailable";
  if ("errcode" in error && typeof error.errcode === "number") {
    if (error.errcode === SQLITE_IOERR_SHMSIZE) return "full";
    return KIND_OF_RESULT.get(error.errcode & 0xff) ?? "unavailable";
  }
  if ("code" in error && typeof error.code === "string") {
    return KIND_OF_SYSTEM_CODE.get(error.code) ?? "unavailable";
  }
  return "unavailable";
}
