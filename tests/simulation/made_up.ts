import { StoreError } from "../../src/queue/store.ts";

/** Failures that the world makes up; what else is thrown is a fault of the relay. */
export class MadeUpError extends Error {
  override readonly name = "MadeUpError";
}

/** Whether the world wanted a failure. */
export function isMadeUp(error: unknown): boolean {
  return error instanceof StoreError || error instanceof MadeUpError;
}
