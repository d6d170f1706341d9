import { parseMailbox } from "../mail/address.ts";

/** Folds ASCII letters to lower case and leaves the rest, as SQLite's `lower` does. */
export function foldAscii(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** What two spellings of one mailbox have in common; providers compare so, too. */
export function mailboxKey(mailbox: string): string {
  const parsed = parseMailbox(mailbox);
  if (parsed.kind === "error") return foldAscii(mailbox);
  const { text, domain } = parsed.mailbox;
  return `${foldAscii(text.slice(0, text.lastIndexOf("@")))}@${domain}`;
}
