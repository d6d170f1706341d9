import type { SQLInputValue } from "node:sqlite";
import { parseMailbox } from "../../mail/address.ts";
import type { MessageFilter } from "../store.ts";
import { foldAscii } from "../mailbox.ts";
import { maskOf, STATE_CODE } from "./counters.ts";
import { POSITION_BITS, POSITIONS } from "./key.ts";
import { REPLY_START_CHARS } from "./schema.ts";

/**
 * A part of a WHERE clause with its values. Recipients are `r` in it and what is known of messages
 * `f`; empty text always holds.
 */
export interface Condition {
  readonly sql: string;
  readonly values: readonly SQLInputValue[];
}

/** The number of a recipient's message. */
export const MESSAGE_OF_RECIPIENT = `r.key >> ${POSITION_BITS}`;
/** Holds for the recipients of a message. */
function of(table: string): string {
  return `${table}.key >= f.seq * ${POSITIONS} AND ${table}.key < (f.seq + 1) * ${POSITIONS}`;
}
/** As it stands in the index; in other words the index would not be used. */
const REPLY_START = `substr(r.last_reply, 1, ${REPLY_START_CHARS})`;

/** All of some conditions. */
export function allOf(conditions: readonly Condition[]): Condition {
  const real = conditions.filter(({ sql }) => sql !== "");
  return {
    sql: real.map(({ sql }) => sql).join(" AND "),
    values: real.flatMap(({ values }) => values),
  };
}

/** Whether a filter says more about recipients than their states. */
export function looksAtRecipients(filter: MessageFilter): boolean {
  const { domain, recipient, transport, minAttempts, replyStart } = filter;
  return [domain, recipient, transport, minAttempts, replyStart].some((key) => key !== undefined);
}

/** Whether a filter asks what only messages know, not their recipients. */
export function looksAtText({ sender, text }: MessageFilter): boolean {
  return sender !== undefined || text !== undefined;
}

/** Whether states and times of arrival are all that a filter asks for. */
export function isPlain(filter: MessageFilter): boolean {
  const { listener, minSizeBytes, maxSizeBytes } = filter;
  return !looksAtRecipients(filter) && !looksAtText(filter) &&
    [listener, minSizeBytes, maxSizeBytes].every((key) => key === undefined);
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
    ...(replyStart === undefined ? [] : [replyCondition(replyStart)]),
  ]);
}

function replyCondition(replyStart: string): Condition {
  const start = [...replyStart].length > REPLY_START_CHARS ? "r.last_reply" : REPLY_START;
  return beginning(start, replyStart);
}

/** Holds for texts that begin so. To compare ends is cheaper than to cut. */
function beginning(column: string, start: string): Condition {
  return { sql: `${column} >= ? AND ${column} < ?`, values: [start, `${start}\u{10ffff}`] };
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

/** What a filter asks of what recipients know of their message, too; `table` is `r` or `f`. */
export function commonCondition(filter: MessageFilter, table: "r" | "f" | "m"): Condition {
  const { receivedBeforeMs, receivedAfterMs, listener, minSizeBytes, maxSizeBytes } = filter;
  const asked: readonly (readonly [string, SQLInputValue | undefined])[] = [
    ["received_at <", receivedBeforeMs],
    ["received_at >", receivedAfterMs],
    ["listener =", listener],
    ["size >=", minSizeBytes],
    ["size <=", maxSizeBytes],
  ];
  return allOf(
    asked.flatMap(([test, value]) =>
      value === undefined ? [] : [{ sql: `${table}.${test} ?`, values: [value] }]
    ),
  );
}

/** What a filter asks of what only messages know. */
export function textCondition({ sender, text }: MessageFilter): Condition {
  return allOf([
    ...(sender === undefined ? [] : [senderCondition(sender)]),
    ...(text === undefined ? [] : [partCondition(text)]),
  ]);
}

/** The text begins with the reverse-path. */
function senderCondition(sender: string): Condition {
  return beginning("f.text", `${foldAscii(sender)}\n`);
}

function partCondition(text: string): Condition {
  const part = foldAscii(text);
  const sql = `(instr(f.text, ?) OR (f.more AND EXISTS (
    SELECT 1 FROM recipients t WHERE ${of("t")} AND instr(lower(t.forward_path), ?))))`;
  return { sql, values: [part, part] };
}

/** What a filter asks of the states of a message's recipients. */
export function maskCondition({ states }: MessageFilter): Condition {
  if (states === undefined) return { sql: "", values: [] };
  return { sql: `f.mask & ${maskOf(states)} <> 0`, values: [] };
}

/** Holds for messages with a recipient that fits. */
export function existsCondition(filter: MessageFilter): Condition {
  const { sql, values } = recipientCondition(filter);
  return { sql: `EXISTS (SELECT 1 FROM recipients r WHERE ${of("r")} AND ${sql})`, values };
}

/** Holds for the messages that are asked for by id. */
export function idsCondition({ ids }: MessageFilter): Condition {
  if (ids === undefined) return { sql: "", values: [] };
  const sql = "f.seq IN (SELECT seq FROM messages WHERE id IN (SELECT value FROM json_each(?)))";
  return { sql, values: [JSON.stringify(ids)] };
}

/** All that a filter asks, but for the ids, in terms of the message. */
export function wholeCondition(filter: MessageFilter): Condition {
  return allOf([
    commonCondition(filter, "f"),
    textCondition(filter),
    looksAtRecipients(filter) ? existsCondition(filter) : maskCondition(filter),
  ]);
}

/** A condition as it stands after others. */
export function and({ sql }: Condition): string {
  return sql === "" ? "" : `AND ${sql}`;
}
