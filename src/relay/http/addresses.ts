import { addressParser } from "postal-mime";
import { parseMailbox } from "../../mail/address.ts";
import { fieldText, findField } from "../../mail/headers.ts";
import type { Head } from "./carry.ts";

/** A mailbox of a header field (RFC 5322 3.4). */
export interface NamedAddress {
  /** The display name, decoded; empty where there is none. */
  readonly name: string;
  readonly address: string;
}

/** The mailboxes of an unfolded address field in its order, groups taken apart. */
export function mailboxesOf(fieldValue: string): NamedAddress[] {
  return addressParser(fieldValue, { flatten: true }).flatMap(({ name, address }) =>
    address === undefined || address === "" ? [] : [{ name, address }]
  );
}

/** The first mailbox of the From field; null when there is none. */
export function authorOf({ octets, section }: Head): string | null {
  const field = findField(section, "from");
  return field === null ? null : mailboxesOf(fieldText(octets, field))[0]?.address ?? null;
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
