import type { Mailbox } from "../../mail/address.ts";
import { membersInPlace } from "../../policy/aliases.ts";
import type { RcptParams, Transaction } from "./state.ts";

/** Adds a mailbox to the recipients of a transaction. */
export function addRecipient(
  { recipients }: Transaction,
  { mailbox, params }: { mailbox: Mailbox; params: RcptParams },
): void {
  recipients.push({ forwardPath: mailbox.text, domain: mailbox.domain, ...params });
}

/** Adds the members of an alias in its place. */
export function addMembers(
  { recipients, expanded }: Transaction,
  { alias, members, params }: {
    alias: Mailbox;
    members: readonly Mailbox[];
    params: RcptParams;
  },
): void {
  const present = new Set(recipients.map(({ forwardPath }) => forwardPath));
  for (const member of membersInPlace(alias, { members, params })) {
    if (!present.has(member.forwardPath)) recipients.push(member);
  }
  if (members.length > 1 && params.notify?.includes("SUCCESS")) {
    expanded.push({ forwardPath: alias.text, domain: alias.domain, ...params });
  }
}
