import { messageOf, positionOf, POSITIONS } from "./key.ts";
import { MARK_REROUTED, type RecipientRow } from "./protocol.ts";
import type { Workbench } from "./workbench.ts";

/** A recipient that waits and that is not claimed. */
export type DueRow = readonly [key: number, domain: string];

/** The recipients that wait, as the claim sees them. */
export interface DueTable {
  /** Due ones, longest waiting first. */
  byTime(range: { nowMs: number; skip: number; limit: number }): DueRow[];
  /** Due ones of one domain, longest waiting first. */
  byDomain(range: { domain: string; nowMs: number; limit: number }): DueRow[];
  /** The next domain in order that has recipients waiting, due or not. */
  domainAfter(domain: string): string | null;
  /** The first time after `afterMs` at which a recipient is due. */
  first(afterMs: number): number | null;
  /** Claims one and returns it. */
  claim(lease: { key: number; owner: string; untilMs: number }): RecipientRow;
  /** Whether it may wait for a way of its domain: nobody chose its transport, and it has time. */
  mayWait(key: number, nowMs: number): boolean;
  /** Makes one wait for longer. */
  putOff(pause: { key: number; untilMs: number; reason: string }): void;
}

/** Makes the table of one connection. */
export function dueTable({ database, counters }: Workbench): DueTable {
  const isWaiting = "state = 0 AND owner IS NULL";
  // A damaged record has no time; the claim that meets it puts the message aside.
  const expiry =
    `(SELECT CASE WHEN json_valid(record) THEN json_extract(record, '$.expiresAtMs') END
     FROM messages WHERE seq = recipients.key / ${POSITIONS})`;
  const byTime = database.prepare<DueRow>(
    `SELECT key, domain FROM recipients INDEXED BY recipients_due
     WHERE ${isWaiting} AND next_attempt_at <= ?
     ORDER BY next_attempt_at, domain, key LIMIT ? OFFSET ?`,
  );
  const byDomain = database.prepare<DueRow>(
    `SELECT key, domain FROM recipients INDEXED BY recipients_due_by_domain
     WHERE ${isWaiting} AND domain = ? AND next_attempt_at <= ?
     ORDER BY next_attempt_at, key LIMIT ?`,
  );
  const domainAfter = database.prepare<[string | null]>(
    `SELECT min(domain) FROM recipients INDEXED BY recipients_due_by_domain
     WHERE ${isWaiting} AND domain > ?`,
  );
  const firstDue = database.prepare<[number | null]>(
    `SELECT min(next_attempt_at) FROM recipients INDEXED BY recipients_due
     WHERE ${isWaiting} AND next_attempt_at > ?`,
  );
  const claim = database.prepare<RecipientRow>(
    `UPDATE recipients SET owner = ?, lease_until = ? WHERE key = ?
     RETURNING key, forward_path, domain, extras, state, attempts, next_attempt_at,
       delay_notified, last_reply, transport`,
  );
  const putOff = database.prepare(
    `UPDATE recipients SET next_attempt_at = min(?1, coalesce(${expiry}, ?1)), last_reply = ?2
     WHERE key = ?3`,
  );

  const selectWaiting = database.prepare<
    [domain: string, state: number, lastReply: string, receivedAtMs: number | null]
  >("SELECT domain, state, last_reply, received_at FROM recipients WHERE key = ?");
  const selectFacts = database.prepare<[marks: number, expiresAtMs: number | null]>(
    `SELECT delay_notified, ${expiry} FROM recipients WHERE key = ?`,
  );

  return {
    mayWait(key, nowMs) {
      const [marks, expiresAtMs] = selectFacts.first(key) ?? [0, null];
      return (marks & MARK_REROUTED) === 0 && (expiresAtMs === null || expiresAtMs > nowMs);
    },
    byTime: ({ nowMs, skip, limit }) => byTime.all(nowMs, limit, skip),
    byDomain: ({ domain, nowMs, limit }) => byDomain.all(domain, nowMs, limit),
    domainAfter: (domain) => domainAfter.first(domain)?.[0] ?? null,
    first: (afterMs) => firstDue.first(afterMs)?.[0] ?? null,
    claim({ key, owner, untilMs }) {
      const row = claim.first(owner, untilMs, key);
      if (row !== undefined) return row;
      throw new Error(`no recipient ${positionOf(key)} of message ${messageOf(key)}`);
    },
    putOff({ key, untilMs, reason }) {
      const row = selectWaiting.first(key);
      if (row === undefined) return;
      const [domain, state, lastReply, receivedAtMs] = row;
      putOff.run(untilMs, reason, key);
      counters.addWaiting({ domain, state, lastReply, receivedAtMs }, -1);
      counters.addWaiting({ domain, state, lastReply: reason, receivedAtMs }, 1);
    },
  };
}
