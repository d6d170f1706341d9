import { parseMailbox, withAsciiDomain } from "../../mail/address.ts";
import { fieldText, findField } from "../../mail/headers.ts";
import { mailboxesIn, type NamedMailbox } from "../../mail/mailboxes.ts";
import { isAsciiText } from "../../mail/safe_text.ts";
import type { Head } from "./carry.ts";

/** A mailbox of a header field (RFC 5322 3.4). */
export type NamedAddress = NamedMailbox;

/** The mailboxes of an unfolded address field in its order, groups taken apart. */
export function mailboxesOf(fieldValue: string): NamedAddress[] {
  return mailboxesIn(fieldValue).filter(({ address }) => address !== "");
}

/** The first mailbox of the From field; null when there is none. */
export function authorOf({ octets, section }: Head): string | null {
  const field = findField(section, "from");
  const mailboxes = field === null ? [] : mailboxesOf(fieldText(octets, field));
  return mailboxes.find(isUsable)?.address ?? null;
}

/** Whether mail can be sent to an address as it stands. */
export function isUsable({ address }: NamedAddress): boolean {
  return parseMailbox(address).kind === "ok";
}

/** With its domain in ASCII, as APIs want it. */
export function inAscii({ name, address }: NamedAddress): NamedAddress {
  const parsed = parseMailbox(address);
  return { name, address: parsed.kind === "ok" ? withAsciiDomain(parsed.mailbox) : address };
}

/** Whether APIs take an address as one of the Internet: in ASCII, at a domain with a dot in it. */
export function isPublic({ address }: NamedAddress): boolean {
  return isAsciiText(address) && /@[^[@]+\.[^@]+$/.test(address) && isUsable({ name: "", address });
}

/**
 * What two spellings of one mailbox have in common: its domain in ASCII, and no regard to ASCII
 * case in the local part, which is how every API here compares.
 */
export function mailboxKey(address: string): string {
  const parsed = parseMailbox(address);
  if (parsed.kind === "error") return address.toLowerCase();
  const { localPart, domain } = parsed.mailbox;
  return `${localPart.toLowerCase()}@${domain.toLowerCase()}`;
}
