import { parseMailbox } from "../mail/address.ts";
import { fieldText } from "../mail/headers.ts";
import { mailboxesIn } from "../mail/mailboxes.ts";
import type { MessageHeader } from "./header_canon.ts";

/** Nobody has so many authors; reading more of them would keep others waiting. */
const FIELD_LIMIT_BYTES = 8 * 1024;

/** Whose mail it is, as domains: A-labels in lower case, each once. */
export interface Authors {
  /** Of the mailboxes of From; none where From is missing or stands twice (RFC 5322 3.6). */
  readonly from: readonly string[];
  /** Of Sender, who sent it for them. */
  readonly sender: readonly string[];
}

/** Finds out whose mail a message is. */
export function authorsOf(header: MessageHeader): Authors {
  return { from: domainsOf(header, "from"), sender: domainsOf(header, "sender") };
}

function domainsOf({ bytes, fields }: MessageHeader, name: string): readonly string[] {
  const [field, ...more] = fields.filter((one) => one.name.toLowerCase() === name);
  // RFC 6376 section 8.15: of two, verifiers and readers may take either.
  if (field === undefined || more.length > 0) return [];
  if (field.valueEnd - field.valueStart > FIELD_LIMIT_BYTES) return [];
  return domainsIn(fieldText(bytes, field));
}

/** The domains of the mailboxes in the value of a field, A-labels in lower case, each once. */
export function domainsIn(value: string): readonly string[] {
  return [...new Set(mailboxesIn(value).flatMap(({ address }) => domainOf(address) ?? []))];
}

function domainOf(address: string): string | null {
  const parsed = parseMailbox(address);
  if (parsed.kind === "error" || parsed.mailbox.domain.startsWith("[")) return null;
  return parsed.mailbox.domain;
}
