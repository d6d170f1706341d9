import { foldAscii } from "../mailbox.ts";
import {
  type BodyPlace,
  type Lease,
  type MessageDetail,
  type MessageFilter,
  type MessageListItem,
  type MessageRecord,
  type NewMessage,
  type NewRecipient,
  type RecipientRecord,
  type RecipientState,
  type TimelineEntry,
} from "../store.ts";
import { isFinal, type RecipientStatus } from "../transition.ts";

/** A recipient in memory: what it is and how it stands. */
export interface StoredRecipient {
  readonly fixed: Pick<
    RecipientRecord,
    "index" | "forwardPath" | "domain" | "notify" | "originalRecipient"
  >;
  status: RecipientStatus;
  leaseUntilMs: number;
}

/** A message in memory. */
export interface StoredMessage {
  readonly record: MessageRecord;
  /** Order of arrival in the store. */
  readonly sequence: number;
  /** Null when the octets are gone. */
  place: BodyPlace | null;
  readonly recipients: StoredRecipient[];
  readonly timeline: TimelineEntry[];
  lastReply: string;
  /** When the last recipient became final. */
  doneAtMs: number | null;
}

/** Makes the stored form of a message that arrives at `nowMs`. */
export function storedMessage(
  { place, recipients, lease, events: _, ...record }: NewMessage,
  { sequence, nowMs }: { sequence: number; nowMs: number },
): StoredMessage {
  const stored = recipients.map((recipient, index) =>
    storedRecipient(recipient, { index, lease, nowMs: Math.max(nowMs, record.receivedAtMs) })
  );
  return {
    record,
    sequence,
    place,
    recipients: stored,
    timeline: [],
    lastReply: "",
    doneAtMs: null,
  };
}

/** Makes the stored form of a recipient, claimed when it is due and there is a lease. */
export function storedRecipient(
  { state, nextAttemptAtMs, transport, released, ...fixed }: NewRecipient,
  { index, lease, nowMs }: { index: number; lease: Lease | undefined; nowMs: number },
): StoredRecipient {
  const isLeased = lease !== undefined && state === "queued" && nextAttemptAtMs <= nowMs;
  return {
    fixed: { ...fixed, index },
    status: {
      state,
      nextAttemptAtMs,
      attempts: 0,
      delayNotified: false,
      released: released ?? false,
      returned: false,
      doubts: 0,
      transport: transport ?? null,
      rerouted: transport !== undefined,
      lastReply: "",
      owner: isLeased ? lease.owner : null,
    },
    leaseUntilMs: isLeased ? lease.untilMs : 0,
  };
}

/** Whether any recipient is not final. */
export function isLive({ recipients }: StoredMessage): boolean {
  return recipients.some(({ status }) => !isFinal(status.state));
}

/** Whether any recipient did not get it. */
export function hasFailed({ recipients }: StoredMessage): boolean {
  return recipients.some(({ status: { state } }) => state === "failed" || state === "expired");
}

/** The recipient as others see it. */
export function recipientRecord({ fixed, status }: StoredRecipient): RecipientRecord {
  const { owner: _, released, returned, transport, rerouted, doubts, ...visible } = status;
  return {
    ...{ ...fixed, ...visible },
    ...(released ? { released: true } : {}),
    ...(returned ? { returned: true } : {}),
    ...(transport === null ? {} : { transport }),
    ...(rerouted ? { rerouted: true } : {}),
    ...(doubts === 0 ? {} : { doubts }),
  };
}

/** Whether the message fits, and through which recipients. */
export function fitting(message: StoredMessage, filter: MessageFilter): StoredRecipient[] | null {
  const { record } = message;
  const isFit = (filter.ids === undefined || filter.ids.includes(record.id)) &&
    (filter.sender === undefined || foldAscii(filter.sender) === foldAscii(record.reversePath)) &&
    (filter.receivedBeforeMs === undefined || record.receivedAtMs < filter.receivedBeforeMs) &&
    (filter.receivedAfterMs === undefined || record.receivedAtMs > filter.receivedAfterMs) &&
    (filter.listener === undefined || filter.listener === record.origin.listener) &&
    record.facts.sizeBytes >= (filter.minSizeBytes ?? 0) &&
    record.facts.sizeBytes <= (filter.maxSizeBytes ?? Infinity) &&
    (filter.text === undefined || hasText(message, foldAscii(filter.text)));
  if (!isFit) return null;
  const fit = message.recipients.filter((recipient) => fitsRecipient(recipient, filter));
  return fit.length > 0 ? fit : null;
}

function hasText({ record, recipients }: StoredMessage, part: string): boolean {
  const { reversePath, summary: { subject, from } } = record;
  const places = [reversePath, subject, from, ...recipients.map(({ fixed }) => fixed.forwardPath)];
  return places.some((place) => foldAscii(place).includes(part));
}

function fitsRecipient(
  { fixed, status }: StoredRecipient,
  { states, domain, subdomains, recipient, transport, minAttempts, replyStart }: MessageFilter,
): boolean {
  return status.attempts >= (minAttempts ?? 0) && status.lastReply.startsWith(replyStart ?? "") &&
    (states === undefined || states.includes(status.state)) &&
    (transport === undefined || transport === status.transport) &&
    (domain === undefined || domain === fixed.domain ||
      subdomains === true && fixed.domain.endsWith(`.${domain}`)) &&
    (recipient === undefined || foldAscii(recipient) === foldAscii(fixed.forwardPath));
}

/** The message as a row of a list. */
export function listItem({ record, recipients, lastReply }: StoredMessage): MessageListItem {
  const states: Partial<Record<RecipientState, number>> = {};
  for (const { status } of recipients) states[status.state] = (states[status.state] ?? 0) + 1;
  const queued = recipients.filter(({ status }) => status.state === "queued");
  return {
    message: record,
    recipientCount: recipients.length,
    states,
    firstRecipients: recipients.slice(0, 5).map(({ fixed }) => fixed.forwardPath),
    attempts: recipients.reduce((most, { status }) => Math.max(most, status.attempts), 0),
    nextAttemptAtMs: queued.reduce<number | null>(
      (first, { status }) => Math.min(first ?? Infinity, status.nextAttemptAtMs),
      null,
    ),
    lastReply,
  };
}

/** Everything about the message but its octets. */
export function detailOf(message: StoredMessage): MessageDetail {
  return {
    message: message.record,
    recipients: message.recipients.map((recipient) => ({
      ...recipientRecord(recipient),
      claimedBy: recipient.status.owner,
    })),
    timeline: [...message.timeline],
    hasBody: message.place !== null,
  };
}
