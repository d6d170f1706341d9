import type { SQLInputValue } from "node:sqlite";
import { parseMailbox } from "../../mail/address.ts";
import type { MessageFilter } from "../store.ts";
import { foldAscii } from "../mailbox.ts";
import { maskOf, STATE_CODE } from "./counters.ts";
import { POSITION_BITS, POSITIONS } from "./key.ts";

/**
 * A part of a WHERE clause with its values. Messages are `m` in it and recipients `r`; empty
 * text always holds.
 */
export interface Condition {
  readonly sql: string;
  readonly values: readonly SQLInputValue[];
}

/** The number of a recipient's message. */
export const MESSAGE_OF_RECIPIENT = `r.key >> ${POSITION_BITS}`;
/** Holds for the recipients of a message. */
function of(table: string): string {
  return `${table}.key >= m.seq * ${POSITIONS} AND ${table}.key < (m.seq + 1) * ${POSITIONS}`;
}

const LISTENER = "json_extract(m.record, '$.origin.listener')";
const SIZE = "json_extract(m.record, '$.facts.sizeBytes')";
const SUBJECT = "json_extract(m.record, '$.summary.subject')";
const AUTHOR = "json_extract(m.record, '$.summary.from')";

/** All of some conditions. */
export function allOf(conditions: readonly Condition[]): Condition {
  const real = conditions.filter(({ sql }) => sql !== "");
  return {
    sql: real.map(({ sql }) => sql).join(" AND "),
    values: real.flatMap(({ values }) => values),
  };
}

/** Whether a filter says more about recipients than their states. */
export function namesRecipients({ domain, recipient }: MessageFilter): boolean {
  return domain !== undefined || recipient !== undefined;
}

/** Whether a filter can only be answered by looking at each message. */
export function needsScan(filter: MessageFilter): boolean {
  const { listener, minSizeBytes, maxSizeBytes, transport, minAttempts, replyStart, text } = filter;
  if (filter.sender !== undefined || namesRecipients(filter)) return false;
  return [listener, minSizeBytes, maxSizeBytes, transport, minAttempts, replyStart, text]
    .some((key) => key !== undefined);
}

/** What a filter asks of one recipient. */
export function recipientCondition(filter: MessageFilter): Condition {
  const { states, domain, recipient, transport, minAttempts, replyStart } = filter;
  return allOf([
    ...(domain === undefined ? [] : [domainCondition(domain, filter.subdomains ?? false)]),
    ...(recipient === undefined ? [] : [mailboxCondition(recipient)]),
    ...(states === undefined
      ? []
      : [{ sql: `r.state IN (${states.map((state) => STATE_CODE[state]).join()})`, values: [] }]),
    ...(transport === undefined ? [] : [{ sql: "r.transport = ?", values: [transport] }]),
    ...(minAttempts === undefined ? [] : [{ sql: "r.attempts >= ?", values: [minAttempts] }]),
    ...(replyStart === undefined
      ? []
      : [{ sql: "substr(r.last_reply, 1, ?) = ?", values: [[...replyStart].length, replyStart] }]),
  ]);
}

function domainCondition(domain: string, subdomains: boolean): Condition {
  if (!subdomains) return { sql: "r.domain = ?", values: [domain] };
  const below = `.${domain}`;
  const sql = "(r.domain = ? OR substr(r.domain, ?) = ?)";
  return { sql, values: [domain, -below.length, below] };
}

/** The domain of the mailbox says nothing new, but the index begins with it. */
function mailboxCondition(recipient: string): Condition {
  const mailbox = { sql: "lower(r.forward_path) = lower(?)", values: [recipient] };
  const parsed = parseMailbox(recipient);
  if (parsed.kind === "error") return mailbox;
  return allOf([{ sql: "r.domain = ?", values: [parsed.mailbox.domain] }, mailbox]);
}

/** What a filter asks of the time of arrival. */
export function timeCondition(
  { receivedBeforeMs, receivedAfterMs }: MessageFilter,
): Condition {
  return allOf([
    ...(receivedBeforeMs === undefined
      ? []
      : [{ sql: "m.received_at < ?", values: [receivedBeforeMs] }]),
    ...(receivedAfterMs === undefined
      ? []
      : [{ sql: "m.received_at > ?", values: [receivedAfterMs] }]),
  ]);
}

/** What a filter asks of the message, but for the states of its recipients. */
export function messageCondition(filter: MessageFilter): Condition {
  const { sender, listener, minSizeBytes, maxSizeBytes, text } = filter;
  return allOf([
    timeCondition(filter),
    ...(listener === undefined ? [] : [{ sql: `${LISTENER} = ?`, values: [listener] }]),
    ...(minSizeBytes === undefined ? [] : [{ sql: `${SIZE} >= ?`, values: [minSizeBytes] }]),
    ...(maxSizeBytes === undefined ? [] : [{ sql: `${SIZE} <= ?`, values: [maxSizeBytes] }]),
    ...(text === undefined ? [] : [textCondition(text)]),
    ...(sender === undefined
      ? []
      : [{ sql: "lower(m.reverse_path) = lower(?)", values: [sender] }]),
  ]);
}

function textCondition(text: string): Condition {
  const part = foldAscii(text);
  // Taking the record apart costs most, so that is done only where the text stands somewhere in it.
  const written = JSON.stringify(part).slice(1, -1);
  const fields = [SUBJECT, AUTHOR].map((place) => `instr(lower(${place}), ?)`).join(" OR ");
  const sql = `(instr(lower(m.reverse_path), ?)
    OR (instr(lower(m.record), ?) AND (${fields}))
    OR EXISTS (SELECT 1 FROM recipients t WHERE ${of("t")} AND instr(lower(t.forward_path), ?)))`;
  return { sql, values: [part, written, part, part, part] };
}

/** All that a filter asks, but for the ids, in terms of the message. */
export function wholeCondition(filter: MessageFilter): Condition {
  const message = messageCondition(filter);
  const looksAtRecipients = namesRecipients(filter) || filter.transport !== undefined ||
    filter.minAttempts !== undefined || filter.replyStart !== undefined;
  if (looksAtRecipients) {
    const { sql, values } = recipientCondition(filter);
    const exists = `EXISTS (SELECT 1 FROM recipients r WHERE ${of("r")} AND ${sql})`;
    return allOf([message, { sql: exists, values }]);
  }
  if (filter.states === undefined) return message;
  return allOf([message, { sql: `m.mask & ${maskOf(filter.states)} <> 0`, values: [] }]);
}
