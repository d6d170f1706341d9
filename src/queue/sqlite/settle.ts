import type { Disposition } from "../store.ts";
import { isFinal, owesNotifications, settled, type SettledPart } from "../transition.ts";
import { stateAt } from "./counters.ts";
import type { EventWriter } from "./outbox_table.ts";
import {
  FLAG_COUNTS,
  FLAG_DELAY_NOTIFIED,
  FLAG_DOUBTFUL,
  PACKED_DISPOSITION_FIELDS,
  type PackedMessage,
  type PackedSettlement,
} from "./protocol.ts";
import type { RecipientTable } from "./recipient.ts";
import type { RecordWriter } from "./shelf_table.ts";
import { stepFinder, type TimelineWriter } from "./timeline.ts";
import type { Workbench } from "./workbench.ts";

/** Settles claimed recipients of one message. */
export function settleHandler(
  bench: Workbench,
  { table, timeline, tell, put, shelf }: {
    table: RecipientTable;
    timeline: TimelineWriter;
    tell: EventWriter;
    put: (message: PackedMessage) => null;
    shelf: RecordWriter;
  },
): (settlement: PackedSettlement) => null {
  const isKnown = stepFinder(bench.database);
  const selectMessage = bench.database.prepare<[number]>("SELECT 1 FROM messages WHERE id = ?");
  return (settlement) => {
    const [messageId, owner, nowMs, recipients, entries, notifications, events] = settlement;
    const [, , , , , , , records, once, transport, isAgain] = settlement;
    const change = table.start({ id: messageId }, nowMs);
    if (change === null || (once !== null && shelf.claim(once, nowMs) !== null)) return null;
    const { sequence } = change;
    const [first] = entries;
    if (isAgain || bench.isAgain) {
      if (first !== undefined && isKnown(sequence, first)) return null;
      if (notifications.some(([id]) => selectMessage.first(id) !== undefined)) return null;
    }
    const parts: SettledPart[] = [];
    for (let at = 0; at < recipients.length; at += PACKED_DISPOSITION_FIELDS) {
      const [index, code, nextAttemptAtMs, flags, reply] = recipients
        .slice(at, at + PACKED_DISPOSITION_FIELDS) as PackedDisposition;
      const from = table.read(sequence, index);
      if (from === null) continue;
      const disposition = unpackDisposition([index, code, nextAttemptAtMs, flags, reply]);
      const to = settled(from, {
        disposition,
        reply: reply ?? undefined,
        owner,
        transport: transport ?? undefined,
      });
      parts.push({ disposition, hasChanged: to !== null });
      if (to !== null) table.write(change, { index, from, to });
    }
    table.finish(change);
    for (const entry of entries) timeline(sequence, entry);
    if (notifications.length > 0 && owesNotifications(parts)) {
      for (const notification of notifications) put(notification);
    }
    for (const event of events) tell(event);
    for (const record of records) shelf.put(record);
    return null;
  };
}

type PackedDisposition = [
  index: number,
  code: number,
  nextAttemptAtMs: number,
  flags: number,
  reply: string | null,
];

function unpackDisposition([, code, nextAttemptAtMs, flags]: PackedDisposition): Disposition {
  const state = stateAt(code);
  if (isFinal(state)) return { kind: "final", state };
  const counts = (flags & FLAG_COUNTS) !== 0;
  if (state === "held") return counts ? { kind: "hold", counts } : { kind: "hold" };
  return {
    kind: "retry",
    nextAttemptAtMs,
    counts,
    ...((flags & FLAG_DELAY_NOTIFIED) === 0 ? {} : { delayNotified: true }),
    ...((flags & FLAG_DOUBTFUL) === 0 ? {} : { doubtful: true }),
  };
}
