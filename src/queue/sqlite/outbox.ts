import type { Outbox } from "../outbox.ts";
import type { Connection } from "./connection.ts";

/** The outbox in the database. */
export function sqliteOutbox(
  { writer, reader }: { writer: Connection; reader: Connection },
): Outbox {
  return {
    async append(events) {
      await writer.call("outboxAppend", () => events);
    },
    read: (request) => reader.call("outboxRead", () => request),
    placeBefore: (atMs) => reader.call("outboxPlace", () => atMs ?? null),
    reached: (webhook) => reader.call("outboxReached", () => webhook),
    async move(webhook, place) {
      await writer.call("outboxMove", () => ({ webhook, place }));
    },
    async record(call, place) {
      await writer.call("outboxRecord", () => ({ call, place }));
    },
    async calls({ webhook = null, limit, cursor }) {
      const below = cursor === undefined ? null : Number(cursor);
      // One more than asked for tells whether there is another page.
      const found = await reader.call("outboxCalls", () => ({ webhook, limit: limit + 1, below }));
      const items = found.slice(0, limit).map(({ id, ...call }) => ({ ...call, id: String(id) }));
      return { items, cursor: found.length > limit ? items.at(-1)?.id ?? null : null };
    },
    purge: (request) => writer.call("outboxPurge", () => request),
  };
}
