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

/** Counts that change in a transaction; they are written once, before it is committed. */
export class Counters {
  readonly #add: Statement<never>;
  readonly #pending = new Map<number, number>();

  constructor(database: Database) {
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

  /** Writes what is pending. */
  flush(): void {
    for (const [key, change] of this.#pending) {
      if (change !== 0) this.#add.run(key, change);
    }
    this.#pending.clear();
  }

  /** Forgets what is pending, for a transaction that is undone. */
  forget(): void {
    this.#pending.clear();
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
