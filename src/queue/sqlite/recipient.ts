import type { RecipientStatus } from "../transition.ts";
import { FAILED_MASK, LIVE_MASK, STATE_CODE, stateAt } from "./counters.ts";
import { keyOf } from "./key.ts";
import { octetsReleaser } from "./octets.ts";
import {
  doubtsIn,
  MARK_DELAY_NOTIFIED,
  MARK_RELEASED,
  MARK_REROUTED,
  MARK_RETURNED,
  marksOf,
} from "./protocol.ts";
import type { Workbench } from "./workbench.ts";

/** The changing part of a recipient, and what its place in the shape of the queue hangs on. */
export interface ReadStatus extends RecipientStatus {
  readonly domain: string;
  readonly receivedAtMs: number | null;
}

type StatusRow = [
  state: number,
  attempts: number,
  nextAttemptAtMs: number,
  marks: number,
  lastReply: string,
  owner: string | null,
  transport: string | null,
  domain: string,
  receivedAtMs: number | null,
];
type TallyRow = [
  sequence: number,
  spool: string | null,
  shared: number | null,
  mask: number,
  ...counts: number[],
];

/** Changes to the recipients of one message, which end in one change to the message. */
export interface MessageChange {
  readonly sequence: number;
  readonly nowMs: number;
  readonly spool: string | null;
  readonly shared: number | null;
  /** As they were before. */
  readonly mask: number;
  readonly counts: readonly number[];
  /** How many recipients entered (and left) each state, by position. */
  readonly moves: number[];
  /** The reply of the recipient that was changed last; null when none was. */
  lastReply: string | null;
}

/** Reads and writes the changing part of recipients, and keeps their message in step. */
export interface RecipientTable {
  /** Starts a change; null when there is no such message. */
  start(message: { id: string } | { sequence: number }, nowMs: number): MessageChange | null;
  read(sequence: number, index: number): ReadStatus | null;
  /** Writes a status that holds no claim. */
  write(
    change: MessageChange,
    update: { index: number; from: ReadStatus; to: RecipientStatus },
  ): void;
  /** Notes recipients that were added, queued. */
  added(change: MessageChange, count: number): void;
  /** Brings the message and the counters up to date, and lets go of octets nobody needs. */
  finish(change: MessageChange): void;
}

/** Makes the table of one connection. */
export function recipientTable(bench: Workbench): RecipientTable {
  const { database, counters } = bench;
  const release = octetsReleaser(bench);
  const select = database.prepare<StatusRow>(
    `SELECT state, attempts, next_attempt_at, delay_notified, last_reply, owner, transport,
       domain, received_at
     FROM recipients WHERE key = ?`,
  );
  const update = database.prepare(
    `UPDATE recipients SET state = ?, attempts = ?, next_attempt_at = ?, delay_notified = ?,
       last_reply = ?, owner = ?, lease_until = iif(?6 IS NULL, NULL, lease_until), transport = ?
     WHERE key = ?`,
  );
  const tally =
    "SELECT seq, spool, shared, mask, queued, held, delivered, failed, expired, cancelled FROM messages";
  const selectById = database.prepare<TallyRow>(`${tally} WHERE id = ?`);
  const selectBySequence = database.prepare<TallyRow>(`${tally} WHERE seq = ?`);
  const updateReply = database.prepare("UPDATE messages SET last_reply = ? WHERE seq = ?");
  const updateTally = database.prepare(
    `UPDATE messages SET mask = ?, queued = ?, held = ?, delivered = ?, failed = ?, expired = ?,
       cancelled = ?, last_reply = coalesce(?, last_reply), done_at = ? WHERE seq = ?`,
  );
  const updateFacts = database.prepare("UPDATE facts SET mask = ? WHERE seq = ?");
  const keepBody = database.prepare("UPDATE messages SET kept = 1 WHERE seq = ?");

  const retally = (change: MessageChange): void => {
    const { sequence, nowMs, moves, lastReply, mask: oldMask } = change;
    const counts = moves.map((move, code) => (change.counts[code] ?? 0) + move);
    const mask = counts.reduce((bits, count, code) => count > 0 ? bits | (1 << code) : bits, 0);
    const isDone = (mask & LIVE_MASK) === 0;
    const [queued = 0, held = 0, delivered = 0, failed = 0, expired = 0, cancelled = 0] = counts;
    const doneAtMs = isDone ? nowMs : null;
    updateTally.run(
      ...[mask, queued, held, delivered, failed, expired, cancelled],
      ...[lastReply, doneAtMs, sequence],
    );
    if (mask !== oldMask) updateFacts.run(mask, sequence);
    counters.addMessages(oldMask, -1);
    counters.addMessages(mask, 1);
    moves.forEach((move, code) => counters.addRecipients(code, move));
    if (!isDone || (oldMask & LIVE_MASK) === 0) return;
    if (bench.keepsFailed && (mask & FAILED_MASK) !== 0) keepBody.run(sequence);
    else release(change);
  };

  return {
    start(message, nowMs) {
      const row = "id" in message
        ? selectById.first(message.id)
        : selectBySequence.first(message.sequence);
      if (row === undefined) return null;
      const [sequence, spool, shared, mask, ...counts] = row;
      const moves = [0, 0, 0, 0, 0, 0];
      return { sequence, nowMs, spool, shared, mask, counts, moves, lastReply: null };
    },
    read(sequence, index) {
      const row = select.first(keyOf(sequence, index));
      if (row === undefined) return null;
      const [state, attempts, nextAttemptAtMs, marks, lastReply, owner, transport, ...place] = row;
      const [domain, receivedAtMs] = place;
      return {
        state: stateAt(state),
        attempts,
        nextAttemptAtMs,
        delayNotified: (marks & MARK_DELAY_NOTIFIED) !== 0,
        released: (marks & MARK_RELEASED) !== 0,
        returned: (marks & MARK_RETURNED) !== 0,
        transport,
        rerouted: (marks & MARK_REROUTED) !== 0,
        doubts: doubtsIn(marks),
        lastReply,
        owner,
        domain,
        receivedAtMs,
      };
    },
    write(change, { index, from, to }) {
      const { state, attempts, nextAttemptAtMs, lastReply, owner } = to;
      const code = STATE_CODE[state];
      update.run(
        ...[code, attempts, nextAttemptAtMs, marksOf(to), lastReply, owner, to.transport],
        keyOf(change.sequence, index),
      );
      const fromCode = STATE_CODE[from.state];
      const { domain, receivedAtMs } = from;
      counters.addWaiting({ domain, receivedAtMs, state: fromCode, lastReply: from.lastReply }, -1);
      counters.addWaiting({ domain, receivedAtMs, state: code, lastReply }, 1);
      change.moves[fromCode] = (change.moves[fromCode] ?? 0) - 1;
      change.moves[code] = (change.moves[code] ?? 0) + 1;
      change.lastReply = lastReply;
    },
    added(change, count) {
      change.moves[0] = (change.moves[0] ?? 0) + count;
    },
    finish(change) {
      if (change.moves.some((move) => move !== 0)) retally(change);
      else if (change.lastReply !== null) updateReply.run(change.lastReply, change.sequence);
    },
  };
}
