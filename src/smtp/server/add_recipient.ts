import { isAsciiText, type Mailbox } from "../../mail/address.ts";
import type { Notify } from "../../mail/envelope.ts";
import { encodeXtext } from "../../mail/xtext.ts";
import type { RcptParams, Transaction } from "./state.ts";

/** Adds a mailbox to the recipients of a transaction. */
export function addRecipient(
  { recipients }: Transaction,
  { mailbox, params }: { mailbox: Mailbox; params: RcptParams },
): void {
  recipients.push({ forwardPath: mailbox.text, domain: mailbox.domain, ...params });
}

/**
 * Adds the members of an alias in its place. The sender learns of them only what RFC 3461
 * section 5.2.7 wants told: failures name the alias as the original recipient, and where several
 * members take its place, success is reported of the expansion and not of each of them.
 */
export function addMembers(
  transaction: Transaction,
  { alias, members, params }: {
    alias: Mailbox;
    members: readonly Mailbox[];
    params: RcptParams;
  },
): void {
  const isList = members.length > 1;
  const notify = isList && params.notify ? withoutSuccess(params.notify) : params.notify;
  const originalRecipient = params.originalRecipient ?? originalOf(alias);
  const ofMember = {
    ...(notify === undefined ? {} : { notify }),
    ...(originalRecipient === undefined ? {} : { originalRecipient }),
  };
  const present = new Set(transaction.recipients.map(({ forwardPath }) => forwardPath));
  for (const mailbox of members) {
    if (!present.has(mailbox.text)) addRecipient(transaction, { mailbox, params: ofMember });
  }
  if (isList && params.notify?.includes("SUCCESS")) {
    transaction.expanded.push({ forwardPath: alias.text, domain: alias.domain, ...params });
  }
}

function withoutSuccess(notify: readonly Notify[]): readonly Notify[] {
  const others = notify.filter((event) => event !== "SUCCESS");
  return others.length === 0 ? ["NEVER"] : others;
}

function originalOf({ text }: Mailbox): string | undefined {
  return isAsciiText(text) ? `rfc822;${encodeXtext(text)}` : undefined;
}
