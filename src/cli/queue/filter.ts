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
  { name: "domain", kind: "text", value: "DOMAIN", help: "Recipients in this domain." },
  { name: "sender", kind: "text", value: "ADDRESS", help: "Reverse-path; <> for the null one." },
  { name: "recipient", kind: "text", value: "ADDRESS", help: "This recipient." },
  { name: "older-than", kind: "duration", value: "TIME", help: "Received before this time." },
  { name: "newer-than", kind: "duration", value: "TIME", help: "Received within this time." },
];

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
  const states = flags.texts("state") as readonly RecipientState[]; // checked as choices
  const domain = flags.text("domain")?.toLowerCase();
  const sender = flags.text("sender");
  const recipient = flags.text("recipient");
  const olderThanMs = flags.number("older-than");
  const newerThanMs = flags.number("newer-than");
  const filter: MessageFilter = {
    ...(ids.length === 0 ? {} : { ids }),
    ...(states.length === 0 ? {} : { states }),
    ...(domain === undefined ? {} : { domain }),
    ...(sender === undefined ? {} : { sender: sender === "<>" ? "" : sender }),
    ...(recipient === undefined ? {} : { recipient }),
    ...(olderThanMs === undefined ? {} : { receivedBeforeMs: nowMs - olderThanMs }),
    ...(newerThanMs === undefined ? {} : { receivedAfterMs: nowMs - newerThanMs }),
  };
  return { kind: "ok", filter, isOpen: Object.keys(filter).length === 0 };
}
