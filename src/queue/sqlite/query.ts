import { concatBytes } from "../../base/bytes.ts";
import { RECIPIENT_STATES, type RecipientState } from "../store.ts";
import { LIVE_MASK, readMasks, readStates } from "./counters.ts";
import { keyOf } from "./key.ts";
import type {
  Handlers,
  PackedBody,
  PackedDetail,
  PackedListItem,
  RecipientRow,
} from "./protocol.ts";
import { countMessages } from "./counting.ts";
import { pageOf } from "./page.ts";
import { shapeReader } from "./shape.ts";
import type { Workbench } from "./workbench.ts";

/** The most steps of a timeline that are shown; the last ones are. */
const TIMELINE_LIMIT = 1_000;
const FIRST_RECIPIENTS = 5;

/** What only reads. */
export function queryHandlers(bench: Workbench): Handlers {
  const { database } = bench;
  const item = itemReader(bench);
  return {
    list(request) {
      const { sequences, ...page } = pageOf(database, request);
      return { ...page, items: sequences.flatMap((sequence) => item(sequence) ?? []) };
    },
    count: (request) => countMessages(database, request),
    shape: shapeReader(database),
    get: detailReader(bench),
    body: bodyReader(bench),
  };
}

type ItemRow = [
  id: string,
  receivedAtMs: number,
  reversePath: string,
  record: string,
  lastReply: string,
  ...counts: number[],
];

function itemReader({ database }: Workbench): (sequence: number) => PackedListItem | null {
  const selectMessage = database.prepare<ItemRow>(
    `SELECT id, received_at, reverse_path, record, last_reply, queued, held, delivered, failed,
       expired, cancelled FROM messages WHERE seq = ?`,
  );
  const selectFirst = database.prepare<[string]>(
    "SELECT forward_path FROM recipients WHERE key >= ? AND key < ? ORDER BY key LIMIT ?",
  );
  const selectSums = database.prepare<[attempts: number | null, next: number | null]>(
    `SELECT max(attempts), min(iif(state = 0, next_attempt_at, NULL))
     FROM recipients WHERE key >= ? AND key < ?`,
  );

  return (sequence) => {
    const row = selectMessage.first(sequence);
    if (row === undefined) return null;
    const [id, receivedAtMs, reversePath, record, lastReply, ...counts] = row;
    const states: Partial<Record<RecipientState, number>> = {};
    RECIPIENT_STATES.forEach((state, code) => {
      const count = counts[code] ?? 0;
      if (count > 0) states[state] = count;
    });
    const keys = [keyOf(sequence, 0), keyOf(sequence + 1, 0)] as const;
    const [attempts, nextAttemptAtMs] = selectSums.first(...keys) ?? [null, null];
    return {
      ...{ id, receivedAtMs, reversePath, record, lastReply, states, nextAttemptAtMs },
      attempts: attempts ?? 0,
      recipientCount: counts.reduce((total, count) => total + count, 0),
      firstRecipients: selectFirst.all(...keys, FIRST_RECIPIENTS).map(([path]) => path),
    };
  };
}

type DetailRow = [
  sequence: number,
  receivedAtMs: number,
  reversePath: string,
  record: string,
  mask: number,
  kept: number,
];

function detailReader({ database }: Workbench): (id: string) => PackedDetail | null {
  const selectMessage = database.prepare<DetailRow>(
    "SELECT seq, received_at, reverse_path, record, mask, kept FROM messages WHERE id = ?",
  );
  const selectRecipients = database.prepare<[owner: string | null, ...RecipientRow]>(
    `SELECT owner, key, forward_path, domain, extras, state, attempts, next_attempt_at,
       delay_notified, last_reply, transport FROM recipients
     WHERE key >= ? AND key < ? ORDER BY key`,
  );
  const selectTimeline = database.prepare<[string]>(
    "SELECT entry FROM timeline WHERE key >= ? AND key < ? ORDER BY key DESC LIMIT ?",
  );

  return (id) => {
    const row = selectMessage.first(id);
    if (row === undefined) return null;
    const [sequence, receivedAtMs, reversePath, record, mask, kept] = row;
    const keys = [keyOf(sequence, 0), keyOf(sequence + 1, 0)] as const;
    const rows = selectRecipients.all(...keys);
    const steps = selectTimeline.all(...keys, TIMELINE_LIMIT);
    return {
      ...{ id, receivedAtMs, reversePath, record },
      owners: rows.map(([owner]) => owner),
      recipients: rows.map(([, ...recipient]) => recipient),
      timeline: steps.map(([entry]) => entry).reverse(),
      hasBody: (mask & LIVE_MASK) !== 0 || kept !== 0,
    };
  };
}

function bodyReader({ database, handOver }: Workbench): (id: string) => PackedBody | null {
  const select = database.prepare<
    [
      spool: string | null,
      isThere: number,
      data: Uint8Array<ArrayBuffer> | null,
      head: Uint8Array<ArrayBuffer> | null,
    ]
  >(
    `SELECT m.spool, (m.mask & ${LIVE_MASK}) != 0 OR m.kept, b.data, h.data FROM messages m
     LEFT JOIN bodies b ON b.message = coalesce(m.shared, m.seq)
     LEFT JOIN heads h ON h.message = m.seq WHERE m.id = ?`,
  );
  return (id) => {
    const [spool, isThere, data, head] = select.first(id) ?? [null, 0, null, null];
    if (isThere === 0) return null;
    if (spool !== null) return { kind: "spool", name: spool, head };
    if (data === null) return null;
    const bytes = head === null ? data : concatBytes([head, data]);
    handOver.push(bytes.buffer);
    return { kind: "inline", bytes };
  };
}

/** Counts for status displays; cheap enough for the connection that writes. */
export function statsReader({ database }: Workbench): NonNullable<Handlers["stats"]> {
  const selectOldest = database.prepare<[number]>(
    `SELECT received_at FROM messages INDEXED BY messages_by_mask
     WHERE mask = ? ORDER BY received_at LIMIT 1`,
  );
  const selectDue = database.prepare<[number | null]>(
    `SELECT min(next_attempt_at) FROM recipients INDEXED BY recipients_due
     WHERE state = 0 AND owner IS NULL`,
  );
  return () => {
    const live = [...readMasks(database)].filter(([mask]) => (mask & LIVE_MASK) !== 0);
    const oldest = live.flatMap(([mask]) => selectOldest.first(mask) ?? []);
    return {
      recipients: readStates(database),
      liveMessages: live.reduce((total, [, count]) => total + count, 0),
      oldestReceivedAtMs: oldest.length === 0 ? null : Math.min(...oldest),
      nextDueAtMs: selectDue.first()?.[0] ?? null,
    };
  };
}
