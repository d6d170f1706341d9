import type { SQLInputValue } from "node:sqlite";
import { parseMailbox } from "../../mail/address.ts";
import type { MessageFilter } from "../store.ts";
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
const OF_MESSAGE = `r.key >= m.seq * ${POSITIONS} AND r.key < (m.seq + 1) * ${POSITIONS}`;

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

/** What a filter asks of one recipient. */
export function recipientCondition(filter: MessageFilter): Condition {
  const { states, domain, recipient } = filter;
  return allOf([
    ...(domain === undefined ? [] : [domainCondition(domain, filter.subdomains ?? false)]),
    ...(recipient === undefined ? [] : [mailboxCondition(recipient)]),
    ...(states === undefined
      ? []
      : [{ sql: `r.state IN (${states.map((state) => STATE_CODE[state]).join()})`, values: [] }]),
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
  const { sender } = filter;
  return allOf([
    timeCondition(filter),
    ...(sender === undefined
      ? []
      : [{ sql: "lower(m.reverse_path) = lower(?)", values: [sender] }]),
  ]);
}

/** All that a filter asks, but for the ids, in terms of the message. */
export function wholeCondition(filter: MessageFilter): Condition {
  const message = messageCondition(filter);
  if (namesRecipients(filter)) {
    const { sql, values } = recipientCondition(filter);
    const exists = `EXISTS (SELECT 1 FROM recipients r WHERE ${OF_MESSAGE} AND ${sql})`;
    return allOf([message, { sql: exists, values }]);
  }
  if (filter.states === undefined) return message;
  return allOf([message, { sql: `m.mask & ${maskOf(filter.states)} <> 0`, values: [] }]);
}
