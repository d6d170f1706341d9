import { isQueueId } from "../../base/ids.ts";
import { type MessageFilter, RECIPIENT_STATES, type RecipientState } from "../../queue/store.ts";
import type { Flag } from "../command.ts";
import type { FlagValues } from "../flags.ts";

/** The flags that say which messages are meant. */
export const FILTER_FLAGS: readonly Flag[] = [
  {
    name: "state",
    kind: "texts",
    value: "STATE",
    choices: RECIPIENT_STATES,
    help: "Messages with a recipient in this state.",
  },
  {
    name: "domain",
    kind: "text",
    value: "DOMAIN",
    help: "Messages with a recipient in this domain.",
  },
  {
    name: "sender",
    kind: "text",
    value: "ADDRESS",
    help: "Reverse-path; <> for the null reverse-path.",
  },
  { name: "recipient", kind: "text", value: "ADDRESS", help: "Messages with this recipient." },
  {
    name: "older-than",
    kind: "duration",
    value: "TIME",
    help: "Received before this time ago, such as 1h.",
  },
  {
    name: "newer-than",
    kind: "duration",
    value: "TIME",
    help: "Received within this time, such as 1h.",
  },
  {
    name: "transport",
    kind: "text",
    value: "NAME",
    help: "Last attempted by this transport, or rerouted to it.",
  },
  { name: "subdomains", kind: "switch", help: "Include subdomains of --domain." },
  { name: "listener", kind: "text", value: "NAME", help: "Accepted by this listener." },
  { name: "larger-than", kind: "size", value: "SIZE", help: "Minimum size, such as 5MiB." },
  { name: "smaller-than", kind: "size", value: "SIZE", help: "Maximum size." },
  { name: "attempts", kind: "count", value: "N", help: "Minimum number of attempts." },
  {
    name: "reply",
    kind: "text",
    value: "CODE",
    help: "Start of the last reply: 4, 451, '451 4.7.1'.",
  },
  { name: "text", kind: "text", value: "TEXT", help: "Part of the subject or an address." },
];

/** A reply code, or its beginning, perhaps with an enhanced code (RFC 3463). */
const REPLY_START = /^[245]\d{0,2}(?: [245]\.\d{1,3}\.\d{1,3})?$/;

/** What flags and operands say about messages. */
export type FilterResult =
  | {
    readonly kind: "ok";
    readonly filter: MessageFilter;
    /** Whether nothing narrows it down. */
    readonly isOpen: boolean;
  }
  | { readonly kind: "wrong"; readonly reason: string };

/** Reads the filter of a command; operands are queue ids. */
export function readFilter(
  { flags, operands }: { flags: FlagValues; operands: readonly string[] },
  nowMs: number,
): FilterResult {
  const ids = operands.map((id) => id.toUpperCase());
  const stranger = operands.find((_, index) => !isQueueId(ids[index] ?? ""));
  if (stranger !== undefined) {
    return { kind: "wrong", reason: `Not a queue id: ${JSON.stringify(stranger)}.` };
  }
  const reply = flags.text("reply");
  if (reply !== undefined && !REPLY_START.test(reply)) {
    return { kind: "wrong", reason: `Not the start of a reply: ${JSON.stringify(reply)}.` };
  }
  if (flags.switch("subdomains") && flags.text("domain") === undefined) {
    return { kind: "wrong", reason: "--subdomains needs --domain." };
  }
  const filter: MessageFilter = {
    ...(ids.length === 0 ? {} : { ids }),
    ...recipientFilter(flags),
    ...messageFilter(flags, nowMs),
  };
  return { kind: "ok", filter, isOpen: Object.keys(filter).length === 0 };
}

/** What must hold of one recipient. */
function recipientFilter(flags: FlagValues): MessageFilter {
  const states = flags.texts("state") as readonly RecipientState[]; // checked as choices
  const domain = flags.text("domain")?.toLowerCase();
  const recipient = flags.text("recipient");
  const transport = flags.text("transport");
  const minAttempts = flags.number("attempts");
  const replyStart = flags.text("reply");
  return {
    ...(states.length === 0 ? {} : { states }),
    ...(domain === undefined ? {} : { domain }),
    ...(flags.switch("subdomains") ? { subdomains: true } : {}),
    ...(recipient === undefined ? {} : { recipient }),
    ...(transport === undefined ? {} : { transport }),
    ...(minAttempts === undefined ? {} : { minAttempts }),
    ...(replyStart === undefined ? {} : { replyStart }),
  };
}

/** What must hold of the message itself. */
function messageFilter(flags: FlagValues, nowMs: number): MessageFilter {
  const sender = flags.text("sender");
  const olderThanMs = flags.number("older-than");
  const newerThanMs = flags.number("newer-than");
  const listener = flags.text("listener");
  const minSizeBytes = flags.number("larger-than");
  const maxSizeBytes = flags.number("smaller-than");
  const text = flags.text("text");
  return {
    ...(sender === undefined ? {} : { sender: sender === "<>" ? "" : sender }),
    ...(olderThanMs === undefined ? {} : { receivedBeforeMs: nowMs - olderThanMs }),
    ...(newerThanMs === undefined ? {} : { receivedAfterMs: nowMs - newerThanMs }),
    ...(listener === undefined ? {} : { listener }),
    ...(minSizeBytes === undefined ? {} : { minSizeBytes }),
    ...(maxSizeBytes === undefined ? {} : { maxSizeBytes }),
    ...(text === undefined ? {} : { text }),
  };
}
