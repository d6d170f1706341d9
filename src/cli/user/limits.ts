import { parseSize } from "../../config/units.ts";
import { SENDER_CHECKS, type SenderCheck, type UserDocument } from "../../config/sections/users.ts";
import type { Flag } from "../command.ts";
import type { FlagValues } from "../flags.ts";

/** What a user may do, as flags. */
export const LIMIT_FLAGS: readonly Flag[] = [
  {
    name: "sender",
    kind: "texts",
    value: "PATTERN",
    help: `Mailbox the user may send as; "*" matches any text. May be repeated.`,
  },
  {
    name: "sender-check",
    kind: "text",
    value: "WHERE",
    choices: SENDER_CHECKS,
    help: "Where --sender applies: envelope (reverse-path), header (From, Sender, Resent-*) or " +
      "both.",
  },
  { name: "message-size", kind: "text", value: "SIZE", help: "Largest message, such as 10MiB." },
  { name: "per-hour", kind: "count", value: "N", help: "Most messages in any hour." },
  { name: "per-day", kind: "count", value: "N", help: "Most messages in any day." },
];

/** The limits that flags name. */
export type Limits = Partial<
  Pick<
    UserDocument,
    "senders" | "sender_check" | "message_size" | "messages_per_hour" | "messages_per_day"
  >
>;

/** The limits, or what is wrong with them. */
export type LimitsInput =
  | { readonly kind: "ok"; readonly limits: Limits }
  | { readonly kind: "wrong"; readonly reason: string };

/** Reads the flags; what no flag names is absent. */
export function readLimits(flags: FlagValues): LimitsInput {
  const senders = flags.texts("sender");
  const senderCheck = flags.text("sender-check") as SenderCheck | undefined; // checked as a choice
  const messageSize = flags.text("message-size");
  if (messageSize !== undefined && !((parseSize(messageSize) ?? 0) > 0)) {
    const reason = `--message-size needs a size such as 10MiB, got ${JSON.stringify(messageSize)}.`;
    return { kind: "wrong", reason };
  }
  const perHour = flags.number("per-hour");
  const perDay = flags.number("per-day");
  if (perHour === 0 || perDay === 0) {
    return { kind: "wrong", reason: "A message limit must be at least 1." };
  }
  return {
    kind: "ok",
    limits: {
      ...(senders.length === 0 ? {} : { senders: [...senders] }),
      ...(senderCheck === undefined ? {} : { sender_check: senderCheck }),
      ...(messageSize === undefined ? {} : { message_size: messageSize }),
      ...(perHour === undefined ? {} : { messages_per_hour: perHour }),
      ...(perDay === undefined ? {} : { messages_per_day: perDay }),
    },
  };
}
