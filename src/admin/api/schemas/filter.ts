import { z } from "zod";
import type { MessageFilter } from "../../ports.ts";
import { RECIPIENT_STATES } from "../../../queue/store.ts";
import {
  domainName,
  lineText,
  listText,
  numberText,
  queueId,
  switchText,
  timeMs,
} from "./fields.ts";

const DESCRIPTIONS = {
  ids: "Queue ids.",
  states: "Messages with a recipient in one of these states.",
  domain: "Recipient domain.",
  sender: "Whole reverse-path, case-insensitive; empty for the null reverse-path.",
  recipient: "Whole mailbox of a recipient, case-insensitive.",
  receivedAfterMs: "Received after this time.",
  receivedBeforeMs: "Received before this time.",
  subdomains: "Include subdomains of `domain`.",
  transport: "Transport of the last attempt of a recipient, or the one an operator chose.",
  listener: "Name of the listener that accepted it; `local` for mail that the relay wrote.",
  minSizeBytes: "Minimum size.",
  maxSizeBytes: "Maximum size.",
  minAttempts: "With a recipient that had at least this many attempts.",
  replyCode: "Start of the last reply of a recipient: `4`, `451`, `451 4.7.1`.",
  text: "Part of subject, author, reverse-path or a recipient, ASCII case-insensitive.",
  minAgeMs: "Received at least this long ago.",
  maxAgeMs: "Received at most this long ago.",
} as const;

const sender = lineText({ max: 320 });
const recipient = lineText({ max: 320 });
const state = z.enum(RECIPIENT_STATES);
const replyCode = z.string().regex(/^[245]\d{0,2}(?: [245]\.\d{1,3}\.\d{1,3})?$/, {
  error: "expected the start of a reply, such as 451 or 451 4.7.1",
});
const listener = lineText({ max: 100 });
const transport = lineText({ max: 100 }).min(1);
const text = lineText({ max: 200 }).min(1);

/** Which messages are meant, in a body; keys that are present must all fit. */
export const filterSchema = z.strictObject({
  ids: z.array(queueId()).min(1).max(10_000).optional().describe(DESCRIPTIONS.ids),
  states: z.array(state).min(1).optional().describe(DESCRIPTIONS.states),
  domain: domainName().optional().describe(DESCRIPTIONS.domain),
  sender: sender.optional().describe(DESCRIPTIONS.sender),
  recipient: recipient.optional().describe(DESCRIPTIONS.recipient),
  receivedAfterMs: timeMs().optional().describe(DESCRIPTIONS.receivedAfterMs),
  receivedBeforeMs: timeMs().optional().describe(DESCRIPTIONS.receivedBeforeMs),
  subdomains: z.boolean().optional().describe(DESCRIPTIONS.subdomains),
  transport: transport.optional().describe(DESCRIPTIONS.transport),
  listener: listener.optional().describe(DESCRIPTIONS.listener),
  minSizeBytes: z.int().min(0).optional().describe(DESCRIPTIONS.minSizeBytes),
  maxSizeBytes: z.int().min(0).optional().describe(DESCRIPTIONS.maxSizeBytes),
  minAttempts: z.int().min(0).optional().describe(DESCRIPTIONS.minAttempts),
  replyCode: replyCode.optional().describe(DESCRIPTIONS.replyCode),
  text: text.optional().describe(DESCRIPTIONS.text),
  minAgeMs: z.int().min(0).optional().describe(DESCRIPTIONS.minAgeMs),
  maxAgeMs: z.int().min(0).optional().describe(DESCRIPTIONS.maxAgeMs),
}).meta({ id: "MessageFilter" });
export type FilterInput = z.output<typeof filterSchema>;

/** The same in a query. */
export const filterQuery = {
  ids: listText(queueId()).optional().describe(DESCRIPTIONS.ids),
  states: listText(state).optional().describe(DESCRIPTIONS.states),
  domain: domainName().optional().describe(DESCRIPTIONS.domain),
  sender: sender.optional().describe(DESCRIPTIONS.sender),
  recipient: recipient.optional().describe(DESCRIPTIONS.recipient),
  receivedAfterMs: numberText().optional().describe(DESCRIPTIONS.receivedAfterMs),
  receivedBeforeMs: numberText().optional().describe(DESCRIPTIONS.receivedBeforeMs),
  subdomains: switchText().optional().describe(DESCRIPTIONS.subdomains),
  transport: transport.optional().describe(DESCRIPTIONS.transport),
  listener: listener.optional().describe(DESCRIPTIONS.listener),
  minSizeBytes: numberText().optional().describe(DESCRIPTIONS.minSizeBytes),
  maxSizeBytes: numberText().optional().describe(DESCRIPTIONS.maxSizeBytes),
  minAttempts: numberText().optional().describe(DESCRIPTIONS.minAttempts),
  replyCode: replyCode.optional().describe(DESCRIPTIONS.replyCode),
  text: text.optional().describe(DESCRIPTIONS.text),
  minAgeMs: numberText().optional().describe(DESCRIPTIONS.minAgeMs),
  maxAgeMs: numberText().optional().describe(DESCRIPTIONS.maxAgeMs),
};

/** The store's filter; ages become times. */
export function filterOf(input: FilterInput, nowMs: number): MessageFilter {
  const { minAgeMs, maxAgeMs, receivedAfterMs, receivedBeforeMs, replyCode, ...rest } = input;
  const after = latest(receivedAfterMs, maxAgeMs === undefined ? undefined : nowMs - maxAgeMs);
  const before = earliest(receivedBeforeMs, minAgeMs === undefined ? undefined : nowMs - minAgeMs);
  return {
    ...withoutUndefined(rest),
    ...(replyCode === undefined ? {} : { replyStart: replyCode }),
    ...(after === undefined ? {} : { receivedAfterMs: after }),
    ...(before === undefined ? {} : { receivedBeforeMs: before }),
  };
}

/** Whether a filter leaves nothing out. */
export function isOpenFilter(filter: MessageFilter): boolean {
  return Object.keys(filter).length === 0;
}

function latest(...times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : Math.max(...known);
}

function earliest(...times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}

type Defined<T> = { [Key in keyof T]: Exclude<T[Key], undefined> };

function withoutUndefined<T extends object>(value: T): Defined<T> {
  const entries = Object.entries(value).filter(([, part]) => part !== undefined);
  return Object.fromEntries(entries) as Defined<T>;
}
