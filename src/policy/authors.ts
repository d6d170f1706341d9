import { isUtf8 } from "node:buffer";
import { type Mailbox, parseMailbox } from "../mail/address.ts";
import { addressLikeWords, type ListedMailbox, parseAddressList } from "../mail/address_list.ts";
import { fieldText, type HeaderField, type MessageHeader } from "../mail/headers.ts";
import { type Reply, reply } from "../mail/reply.ts";
import { decideUserSender, type SenderRules } from "./user_sender.ts";

/** Nobody has so many authors; reading more of them would keep others waiting. */
const FIELD_LIMIT_BYTES = 8 * 1024;

// RFC 3463 3.8: not authorized, as for the reverse-path.
const NOT_YOURS = "address not allowed for this login";
const TOO_LONG = reply(554, "5.6.0", "The header section is too long to find its author");
const NO_AUTHOR = reply(550, "5.7.1", "The message needs one From field with its author");
const TWO_AUTHORS = reply(550, "5.7.1", "The message has more than one From field");
const TWO_SENDERS = reply(550, "5.7.1", "The message has more than one Sender field");
const ONE_SENDER = reply(550, "5.7.1", "The Sender field needs one address");
const ODD_LINES = reply(554, "5.6.0", "The header section has a line of nothing but white space");

/** Who a message says it is from, besides From: RFC 5322 3.6.2 and 3.6.6. */
const OTHERS: ReadonlySet<string> = new Set(["sender", "resent-from", "resent-sender"]);

/** Whose mail a message may be said to be. */
export type AuthorDecision =
  | {
    readonly kind: "accept";
    /** Whether the client may speak for the authors named, so that mail may be signed for them. */
    readonly mayAuthor: boolean;
  }
  | { readonly kind: "refuse"; readonly reply: Reply };

/** The decision about mail of those who may write in any name. */
export const ANY_AUTHOR: AuthorDecision = { kind: "accept", mayAuthor: true };

/**
 * Decides whether a client may send a message with this header section. Readers see From and not
 * the reverse-path, so one who may use some addresses only is held to them in From, Sender and
 * Resent-*, and these must be written so that all programs read the same in them. Where the rules
 * look at reverse-paths alone, the message passes, but is not the client's to be signed.
 */
export function decideAuthors(rules: SenderRules, header: MessageHeader): AuthorDecision {
  if (rules.senders === null) return ANY_AUTHOR;
  const refusal = refusalOf(rules, header);
  if (refusal === null) return ANY_AUTHOR;
  const isChecked = rules.senderCheck !== "envelope";
  return isChecked ? { kind: "refuse", reply: refusal } : { kind: "accept", mayAuthor: false };
}

function refusalOf(rules: SenderRules, header: MessageHeader): Reply | null {
  if (!header.complete) return TOO_LONG;
  if (hasBlankLine(header)) return ODD_LINES;
  const named = (name: string): HeaderField[] =>
    header.fields.filter((field) => field.name.toLowerCase() === name);
  const [author, ...more] = named("from");
  if (author === undefined) return NO_AUTHOR;
  if (more.length > 0) return TWO_AUTHORS;
  const senders = named("sender");
  if (senders.length > 1) return TWO_SENDERS;
  const checked = header.fields.filter(({ name }) => OTHERS.has(name.toLowerCase()));
  for (const field of [author, ...checked]) {
    const refusal = fieldRefusal(rules, { header, field });
    if (refusal !== null) return refusal;
  }
  return null;
}

function fieldRefusal(
  rules: SenderRules,
  { header: { bytes }, field }: { header: MessageHeader; field: HeaderField },
): Reply | null {
  const { name, valueStart, valueEnd } = field;
  if (valueEnd - valueStart > FIELD_LIMIT_BYTES) return unclear(name, "it is too long");
  if (!isUtf8(bytes.subarray(valueStart, valueEnd))) return unclear(name, "it is not UTF-8");
  const list = parseAddressList(fieldText(bytes, field));
  if (list.kind === "error") return unclear(name, list.reason);
  if (name.toLowerCase() === "sender" && list.mailboxes.length > 1) return ONE_SENDER;
  const isYours = list.mailboxes.every((listed) => isAllowed(rules, listed));
  return isYours ? null : reply(550, "5.7.1", `${titleOf(name)} ${NOT_YOURS}`);
}

/** A name that looks like an address is one to readers. */
function isAllowed(rules: SenderRules, { mailbox, beside }: ListedMailbox): boolean {
  const isMine = (one: Mailbox): boolean => fitsSenders(rules, one);
  return isMine(mailbox) && addressLikeWords(beside).every((word) => {
    const parsed = parseMailbox(word.replace(/^[.']+|[.']+$/g, ""));
    return parsed.kind === "ok" && isMine(parsed.mailbox);
  });
}

function fitsSenders(rules: SenderRules, mailbox: Mailbox): boolean {
  return decideUserSender({ ...rules, senderCheck: "both" }, mailbox).kind === "accept";
}

/** Some programs take a line of white space for the end of the section, others for a fold. */
function hasBlankLine({ bytes, fields }: MessageHeader): boolean {
  return fields.some(({ valueStart, valueEnd }) => {
    const value = bytes.subarray(valueStart, valueEnd);
    return value.includes(10) &&
      /\n[ \t]*\r?(?:\n|$)/.test(new TextDecoder("latin1").decode(value));
  });
}

function unclear(name: string, reason: string): Reply {
  return reply(550, "5.7.1", `The ${titleOf(name)} field is ambiguous: ${reason}`);
}

/** The name as RFC 5322 writes it. */
function titleOf(name: string): string {
  return name.toLowerCase().replace(/(?:^|-)[a-z]/g, (part) => part.toUpperCase());
}
