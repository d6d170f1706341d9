import type { Clock } from "../../base/clock.ts";
import type { Shelf } from "../shelf.ts";
import type { Connection } from "./connection.ts";

/** Small records in the database. Look-ups are so short that they need not leave the writer. */
export function sqliteShelf(
  { writer, clock }: { writer: Connection; clock: Clock },
): Shelf {
  return {
    get: (space, key) => writer.call("shelfGet", () => ({ space, key, nowMs: clock.now() })),
    async put(space, entry) {
      await writer.call("shelfPut", () => ({ space, entry }));
    },
    claim: (space, entry) =>
      writer.call("shelfClaim", () => ({ space, entry, nowMs: clock.now() })),
    delete: (space, key) => writer.call("shelfDelete", () => ({ space, key, nowMs: clock.now() })),
    list: (request) => writer.call("shelfList", () => ({ ...request, nowMs: clock.now() })),
    purge: (limit) => writer.call("shelfPurge", () => ({ nowMs: clock.now(), limit })),
  };
}
