import {
  crowdsOf,
  type DomainCrowd,
  firstSlots,
  type QueueShape,
  reasonOf,
  SHAPE_SLOT_MS,
  type ShapeRequest,
  type ShapeRow,
  slotOf,
  together,
} from "../shape.ts";
import type { StoredMessage } from "./message.ts";

/** What waits among these messages. */
export function shapeOf(messages: Iterable<StoredMessage>, request: ShapeRequest): QueueShape {
  const slots = firstSlots(request);
  const classes = slots.length + 1;
  const all: DomainCrowd[] = [];
  const allRows: ShapeRow[] = [];
  for (const [domain, rows] of rowsByDomain(messages)) {
    if (request.domain !== undefined && request.domain !== domain) continue;
    for (const row of rows) allRows.push(row);
    const reasons = crowdsOf(rows, slots);
    all.push({ domain, ...together(reasons, classes), reasons });
  }
  all.sort((a, b) => b.recipients - a.recipients || (a.domain < b.domain ? -1 : 1));
  const reasons = crowdsOf(allRows, slots);
  const sinceMs = slots.map((slot) => slot * SHAPE_SLOT_MS);
  const domains = all.slice(0, request.limit);
  return { sinceMs, ...together(all, classes), reasons, domainCount: all.length, domains };
}

function rowsByDomain(messages: Iterable<StoredMessage>): Map<string, ShapeRow[]> {
  const found = new Map<string, ShapeRow[]>();
  for (const { record, recipients } of messages) {
    const slot = slotOf(record.receivedAtMs);
    for (const { fixed: { domain }, status: { state, lastReply } } of recipients) {
      if (state !== "queued" && state !== "held") continue;
      const row: ShapeRow = { state, reason: reasonOf(lastReply), slot, count: 1 };
      const rows = found.get(domain);
      if (rows === undefined) found.set(domain, [row]);
      else rows.push(row);
    }
  }
  return found;
}
