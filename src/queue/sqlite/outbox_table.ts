import type { OutboxCall, OutboxEvent } from "../outbox.ts";
import type { Database } from "./database.ts";
import type { Handlers } from "./protocol.ts";

/** Adds an event to the outbox. */
export type EventWriter = (event: OutboxEvent) => void;

/** Makes the writer of events. */
export function eventWriter(database: Database): EventWriter {
  const insert = database.prepare(
    "INSERT INTO outbox (at, message, type, body) VALUES (?, ?, ?, ?)",
  );
  return ({ atMs, messageId, type, body }) => void insert.run(atMs, messageId, type, body);
}

/** What changes the outbox. */
export function outboxWriters(database: Database, { tell }: { tell: EventWriter }): Handlers {
  const move = database.prepare("INSERT OR REPLACE INTO outbox_reached VALUES (?, ?)");
  const log = database.prepare(
    `INSERT INTO outbox_calls (at, webhook, first_place, last_place, types, status, duration, error)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const removals = [
    "DELETE FROM outbox WHERE place IN (SELECT place FROM outbox WHERE at < ? LIMIT ?) RETURNING 1",
    "DELETE FROM outbox_calls WHERE id IN (SELECT id FROM outbox_calls WHERE at < ? LIMIT ?) RETURNING 1",
  ].map((sql) => database.prepare<[number]>(sql));

  return {
    outboxAppend(events) {
      for (const event of events) tell(event);
      return null;
    },
    outboxMove({ webhook, place }) {
      move.run(webhook, place);
      return null;
    },
    outboxRecord({ call, place }) {
      const { atMs, webhook, firstPlace, lastPlace, types, status, durationMs, error } = call;
      const duration = Math.round(durationMs);
      log.run(atMs, webhook, firstPlace, lastPlace, types.join(" "), status, duration, error);
      if (place !== null) move.run(webhook, place);
      return null;
    },
    outboxPurge: ({ beforeMs, limit }) =>
      removals.reduce((count, removal) => count + removal.all(beforeMs, limit).length, 0),
  };
}

type EventRow = [place: number, atMs: number, messageId: string, type: string, body: string];
type CallRow = [
  id: number,
  atMs: number,
  webhook: string,
  firstPlace: number,
  lastPlace: number,
  types: string,
  status: number | null,
  durationMs: number,
  error: string,
];

/** What reads the outbox. */
export function outboxReaders(database: Database): Handlers {
  const read = database.prepare<EventRow>(
    "SELECT place, at, message, type, body FROM outbox WHERE place > ? ORDER BY place LIMIT ?",
  );
  const firstFrom = database.prepare<[number | null]>(
    "SELECT min(place) FROM outbox WHERE at >= ?",
  );
  const last = database.prepare<[number | null]>(
    "SELECT seq FROM sqlite_sequence WHERE name = 'outbox'",
  );
  const reached = database.prepare<[number]>("SELECT place FROM outbox_reached WHERE webhook = ?");
  const calls = database.prepare<CallRow>(
    `SELECT id, at, webhook, first_place, last_place, types, status, duration, error
     FROM outbox_calls WHERE (?1 IS NULL OR webhook = ?1) AND id < ?2 ORDER BY id DESC LIMIT ?3`,
  );
  const lastPlace = (): number => last.first()?.[0] ?? 0;

  return {
    outboxRead: ({ after, limit }) =>
      read.all(after, limit)
        .map(([place, atMs, messageId, type, body]) => ({ place, atMs, messageId, type, body })),
    outboxPlace(atMs) {
      const first = atMs === null ? null : firstFrom.first(atMs)?.[0] ?? null;
      return first === null ? lastPlace() : first - 1;
    },
    outboxReached: (webhook) => reached.first(webhook)?.[0] ?? null,
    outboxCalls: ({ webhook, limit, below }) =>
      calls.all(webhook, below ?? Number.MAX_SAFE_INTEGER, limit).map(callOf),
  };
}

function callOf(row: CallRow): OutboxCall & { id: number } {
  const [id, atMs, webhook, firstPlace, lastPlace, types, status, durationMs, error] = row;
  const places = { firstPlace, lastPlace, types: types.split(" ") };
  return { id, atMs, webhook, ...places, status, durationMs, error };
}
