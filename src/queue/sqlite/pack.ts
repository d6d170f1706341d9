import type {
  ClaimResult,
  MessageDetail,
  MessageListItem,
  MessageRecord,
  NewMessage,
  NewRecipient,
  RecipientRecord,
  Settlement,
} from "../store.ts";
import { STATE_CODE, stateAt } from "./counters.ts";
import { positionOf } from "./key.ts";
import {
  doubtsIn,
  FLAG_COUNTS,
  FLAG_DELAY_NOTIFIED,
  FLAG_DOUBTFUL,
  MARK_DELAY_NOTIFIED,
  MARK_RELEASED,
  MARK_REROUTED,
  MARK_RETURNED,
  type PackedClaim,
  type PackedDetail,
  type PackedListItem,
  type PackedMessage,
  type PackedRecord,
  type PackedSettlement,
  type RecipientRow,
} from "./protocol.ts";
import { searchText } from "./search_text.ts";
import { decodeEntry, encodeEntry } from "./timeline.ts";

/** Copies octets into the batch's buffer and returns where they begin. */
export type Attach = (bytes: Uint8Array) => number;

/** Packs messages that are stored together; octets that they share travel once. */
export function packMessages(
  messages: readonly NewMessage[],
  { attach, nowMs }: { attach: Attach; nowMs: number },
): PackedMessage[] {
  const firsts = new Map<unknown, number>();
  const counts = new Map<unknown, number>();
  const starts = new Map<Uint8Array, number>();
  const attachOnce = (bytes: Uint8Array): number => {
    const start = starts.get(bytes) ?? attach(bytes);
    starts.set(bytes, start);
    return start;
  };
  messages.forEach(({ place }, position) => {
    const octets = octetsOf(place);
    if (!firsts.has(octets)) firsts.set(octets, position);
    counts.set(octets, (counts.get(octets) ?? 0) + 1);
  });
  return messages.map((message) => {
    const octets = octetsOf(message.place);
    const isShared = message.place.head !== undefined || (counts.get(octets) ?? 0) > 1;
    const sharesWith = isShared ? firsts.get(octets) ?? null : null;
    return packMessage(message, { attach: attachOnce, nowMs, sharesWith });
  });
}

/** What tells octets from others: the array or the file that they are in. */
function octetsOf(place: NewMessage["place"]): unknown {
  return place.kind === "inline" ? place.bytes : place.name;
}

/** Packs a message for the worker. */
export function packMessage(
  { place, recipients, lease, events = [], ...record }: NewMessage,
  { attach, nowMs, sharesWith = place.head === undefined ? null : 0 }: {
    attach: Attach;
    nowMs: number;
    sharesWith?: number | null;
  },
): PackedMessage {
  const { head } = place;
  const packed: (string | number | null)[] = [];
  for (const recipient of recipients) {
    const { forwardPath, domain, state, nextAttemptAtMs, transport = null, released } = recipient;
    const marks = (released ? MARK_RELEASED : 0) | (transport === null ? 0 : MARK_REROUTED);
    packed.push(forwardPath, domain, packExtras(recipient), STATE_CODE[state], nextAttemptAtMs);
    packed.push(marks, transport);
  }
  const isInline = place.kind === "inline";
  return [
    record.id,
    record.receivedAtMs,
    record.reversePath,
    JSON.stringify(record),
    isInline ? null : place.name,
    isInline ? attach(place.bytes) : 0,
    isInline ? place.bytes.length : 0,
    lease?.owner ?? null,
    lease?.untilMs ?? 0,
    nowMs,
    packed,
    events,
    record.facts.sizeBytes,
    record.origin.listener,
    searchText(record, recipients),
    head === undefined ? 0 : attach(head),
    head?.length ?? 0,
    sharesWith,
  ];
}

function packExtras({ notify, originalRecipient }: NewRecipient): string | null {
  if (notify === undefined && originalRecipient === undefined) return null;
  return JSON.stringify({ notify, originalRecipient });
}

/** Packs a settlement for the worker. */
export function packSettlement(
  { messageId, owner, recipients, timeline, notifications, events = [], ...rest }: Settlement,
  { attach, nowMs }: { attach: Attach; nowMs: number },
): PackedSettlement {
  const packed: (string | number | null)[] = [];
  for (const { index, disposition, reply = null } of recipients) {
    if (disposition.kind === "retry") {
      const { nextAttemptAtMs, counts, delayNotified, doubtful } = disposition;
      const flags = (counts ? FLAG_COUNTS : 0) | (delayNotified ? FLAG_DELAY_NOTIFIED : 0) |
        (doubtful ? FLAG_DOUBTFUL : 0);
      packed.push(index, STATE_CODE.queued, nextAttemptAtMs, flags, reply);
    } else {
      const isHold = disposition.kind === "hold";
      const state = isHold ? "held" : disposition.state;
      const flags = isHold && disposition.counts === true ? FLAG_COUNTS : 0;
      packed.push(index, STATE_CODE[state], 0, flags, reply);
    }
  }
  return [
    messageId,
    owner,
    nowMs,
    packed,
    timeline.map(encodeEntry),
    notifications.map((message) => packMessage(message, { attach, nowMs })),
    events,
    rest.records ?? [],
    rest.once ?? null,
    rest.transport ?? null,
    rest.again === true,
  ];
}

/** Unpacks a claim. The worker has checked that the records are JSON. */
export function unpackClaim({ claimed, nextDueAtMs }: PackedClaim): ClaimResult {
  const messages = claimed.map(({ record, bytes, recipients }) => {
    const message: MessageRecord = JSON.parse(record);
    const unpacked = { message, recipients: recipients.map(unpackRecipient) };
    return bytes === null ? unpacked : { ...unpacked, bytes };
  });
  return { claimed: messages, nextDueAtMs };
}

/** Unpacks a row of a list. */
export function unpackListItem(
  { id, receivedAtMs, reversePath, record, ...item }: PackedListItem,
): MessageListItem {
  return { message: unpackRecord({ id, receivedAtMs, reversePath, record }), ...item };
}

/** Unpacks all about one message. */
export function unpackDetail(packed: PackedDetail): MessageDetail {
  return {
    message: unpackRecord(packed),
    recipients: packed.recipients.map((row, position) => ({
      ...unpackRecipient(row),
      claimedBy: packed.owners[position] ?? null,
    })),
    timeline: packed.timeline.flatMap((entry) => decodeEntry(entry) ?? []),
    hasBody: packed.hasBody,
  };
}

function unpackRecipient(row: RecipientRow): RecipientRecord {
  const [key, forwardPath, domain, extras, state, attempts, nextAttemptAtMs] = row;
  const [, , , , , , , marks, lastReply, transport] = row;
  return {
    index: positionOf(key),
    forwardPath,
    domain,
    ...(extras === null ? {} : unpackExtras(extras)),
    state: stateAt(state),
    attempts,
    nextAttemptAtMs,
    delayNotified: (marks & MARK_DELAY_NOTIFIED) !== 0,
    ...((marks & MARK_RELEASED) === 0 ? {} : { released: true }),
    ...((marks & MARK_RETURNED) === 0 ? {} : { returned: true }),
    ...(transport === null ? {} : { transport }),
    ...((marks & MARK_REROUTED) === 0 ? {} : { rerouted: true }),
    ...(doubtsIn(marks) === 0 ? {} : { doubts: doubtsIn(marks) }),
    lastReply,
  };
}

/** Without them the recipient is still worth delivering to, so damage is passed over. */
function unpackExtras(extras: string): Pick<RecipientRecord, "notify" | "originalRecipient"> {
  try {
    return JSON.parse(extras);
  } catch {
    return {};
  }
}

/** The record, or what is left of it when its JSON is damaged, for an operator to see. */
function unpackRecord({ id, receivedAtMs, reversePath, record }: PackedRecord): MessageRecord {
  try {
    return JSON.parse(record);
  } catch {
    return {
      ...{ id, receivedAtMs, reversePath },
      body: "8BITMIME",
      smtpUtf8: false,
      origin: { listener: "", clientAddress: "", clientPort: 0, helo: "", protocol: "" },
      facts: {
        sizeBytes: 0,
        eightBit: true,
        dotLines: 0,
        longestLineBytes: 0,
        lineOriented: false,
      },
      summary: { subject: "(damaged record)", from: "", messageId: "" },
      expiresAtMs: receivedAtMs,
    };
  }
}
