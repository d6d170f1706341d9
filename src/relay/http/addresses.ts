import { addressParser } from "postal-mime";
import { parseMailbox } from "../../mail/address.ts";
import { fieldText, findField, headerSection } from "../../mail/headers.ts";

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

/** The mailbox of the From field of a header section; null when it has none. */
export function authorOf(head: Uint8Array): string | null {
  const field = findField(headerSection(head), "from");
  return field === null ? null : mailboxesOf(fieldText(head, field))[0]?.address ?? null;
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
