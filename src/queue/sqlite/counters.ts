import { reasonOf, slotOf } from "../shape.ts";
import { RECIPIENT_STATES, type RecipientState } from "../store.ts";
import type { Database, Statement } from "./database.ts";

/** Position of each state in the database. */
export const STATE_CODE: Readonly<Record<RecipientState, number>> = {
  queued: 0,
  held: 1,
  delivered: 2,
  failed: 3,
  expired: 4,
  cancelled: 5,
};
/** Masks of messages that have a recipient that is not final share a bit with this. */
export const LIVE_MASK = 0b11;
/** The same for a recipient that failed or expired. */
export const FAILED_MASK = 0b11000;

const FIRST_STATE_KEY = 100;

/** The state at a position; positions come from the database, which might be damaged. */
export function stateAt(code: number): RecipientState {
  return RECIPIENT_STATES[code] ?? "held";
}

/** The bits of some states. */
export function maskOf(states: readonly RecipientState[]): number {
  return states.reduce((mask, state) => mask | (1 << STATE_CODE[state]), 0);
}

/** The domain that stands for all together in the table of what waits. */
export const ALL_DOMAINS = "*";

/** What tells recipients apart in the table of what waits. */
export interface Waiting {
  readonly domain: string;
  /** Position of its state; nothing waits in those behind the first two. */
  readonly state: number;
  readonly lastReply: string;
  readonly receivedAtMs: number | null;
}

type ShapeKey = readonly [domain: string, state: number, reason: string, slot: number];

interface ShapeChange {
  readonly key: ShapeKey;
  /** What tells it apart within its domain. */
  readonly rest: string;
  change: number;
}

/** Counts that change in a transaction; they are written once, before it is committed. */
export class Counters {
  readonly #add: Statement<never>;
  readonly #addWaiting: Statement<never>;
  readonly #takeWaiting: Statement<[n: number]>;
  readonly #dropWaiting: Statement<never>;
  readonly #pending = new Map<number, number>();
  readonly #waiting = new Map<string, ShapeChange>();

  constructor(database: Database) {
    this.#addWaiting = database.prepare(
      `INSERT INTO queue_shape VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (domain, state, reason, slot) DO UPDATE SET n = n + excluded.n`,
    );
    const isRow = "domain = ?1 AND state = ?2 AND reason = ?3 AND slot = ?4";
    this.#takeWaiting = database.prepare(
      `UPDATE queue_shape SET n = n - ?5 WHERE ${isRow} RETURNING n`,
    );
    this.#dropWaiting = database.prepare(`DELETE FROM queue_shape WHERE ${isRow}`);
    this.#add = database.prepare(
      "INSERT INTO counters VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET n = n + excluded.n",
    );
  }

  /** Counts messages with this mask. */
  addMessages(mask: number, change: number): void {
    this.#count(mask, change);
  }

  /** Counts recipients in the state at this position. */
  addRecipients(code: number, change: number): void {
    this.#count(FIRST_STATE_KEY + code, change);
  }

  /** Counts recipients that wait; others are passed over. */
  addWaiting({ domain, state, lastReply, receivedAtMs }: Waiting, change: number): void {
    if ((1 << state & LIVE_MASK) === 0) return;
    const [reason, slot] = [reasonOf(lastReply), slotOf(receivedAtMs ?? 0)];
    const rest = `${state} ${slot} ${reason}`;
    const text = `${rest} ${domain}`;
    const known = this.#waiting.get(text);
    if (known !== undefined) known.change += change;
    else this.#waiting.set(text, { key: [domain, state, reason, slot], rest, change });
  }

  /** Writes what is pending. */
  flush(): void {
    const all = new Map<string, ShapeChange>();
    for (const { key, rest, change } of this.#waiting.values()) {
      if (change === 0) continue;
      this.#changeWaiting(key, change);
      const known = all.get(rest);
      const [, ...others] = key;
      if (known !== undefined) known.change += change;
      else all.set(rest, { key: [ALL_DOMAINS, ...others], rest, change });
    }
    for (const { key, change } of all.values()) this.#changeWaiting(key, change);
    this.#waiting.clear();
    for (const [key, change] of this.#pending) {
      if (change !== 0) this.#add.run(key, change);
    }
    this.#pending.clear();
  }

  /** Forgets what is pending, for a transaction that is undone. */
  forget(): void {
    this.#waiting.clear();
    this.#pending.clear();
  }

  #changeWaiting(key: ShapeKey, change: number): void {
    if (change > 0) this.#addWaiting.run(...key, change);
    else if (change < 0) {
      const [left = 1] = this.#takeWaiting.first(...key, -change) ?? [];
      if (left <= 0) this.#dropWaiting.run(...key);
    }
  }

  #count(key: number, change: number): void {
    this.#pending.set(key, (this.#pending.get(key) ?? 0) + change);
  }
}

/** How many messages have each mask; masks without messages are absent. */
export function readMasks(database: Database): Map<number, number> {
  const rows = database.prepare<[number, number]>(
    "SELECT key, n FROM counters WHERE key < ? AND n > 0",
  ).all(FIRST_STATE_KEY);
  return new Map(rows);
}

/** How many recipients are in each state. */
export function readStates(database: Database): Record<RecipientState, number> {
  const rows = new Map(
    database.prepare<[number, number]>("SELECT key, n FROM counters WHERE key >= ?")
      .all(FIRST_STATE_KEY),
  );
  const counts = RECIPIENT_STATES.map((state, code) => [
    state,
    rows.get(FIRST_STATE_KEY + code) ?? 0,
  ]);
  return Object.fromEntries(counts) as Record<RecipientState, number>;
}
