import { originalRecipientOf } from "../mail/xtext.ts";
import type { RecipientRecord } from "../queue/store.ts";

/** The mailbox that gets the mail of others, in the envelope only. */
export interface Redirect {
  readonly mailbox: string;
  /** A-labels in lower case. */
  readonly domain: string;
}

/**
 * The one recipient that stands for all of `recipients`. It names the first of them as the
 * original one (RFC 3461 4.2), so that the next hop can tell.
 *
 * @param recipients at least one.
 */
export function redirected(
  recipients: readonly RecipientRecord[],
  { mailbox, domain }: Redirect,
): RecipientRecord {
  const [first] = recipients;
  if (first === undefined) throw new RangeError("Cannot redirect: there is no recipient");
  const { originalRecipient = originalRecipientOf(first.forwardPath) } = first;
  return { ...first, forwardPath: mailbox, domain, originalRecipient };
}
