import { concatBytes } from "../../../base/bytes.ts";
import { type Mailbox, parseMailbox } from "../../../mail/address.ts";
import { fieldText, type HeaderSection } from "../../../mail/headers.ts";
import { mailboxesIn as namedMailboxesIn } from "../../../mail/mailboxes.ts";

/** What the command line says about envelopes. */
export interface EnvelopeWishes {
  /** Reverse-path of every message; null for what each message says. */
  readonly reversePath: string | null;
  /** Recipients of every message; empty for what each message says. */
  readonly recipients: readonly string[];
  /** Whether To, Cc and Bcc name the recipients where nothing better does. */
  readonly usesAddressFields: boolean;
}

/** Who sent a message and who gets it. */
export interface HeaderEnvelope {
  readonly reversePath: string;
  readonly recipients: readonly { readonly forwardPath: string; readonly mailbox: Mailbox }[];
}

/** Fields by which mailboxes keep the recipients of an envelope, the most telling first. */
const RECIPIENT_FIELDS = ["x-original-to", "envelope-to", "x-envelope-to", "delivered-to"] as const;
const ADDRESS_FIELDS = ["to", "cc", "bcc"] as const;

/**
 * What a mailbox adds to a message for itself. A reverse-path is not sent along (RFC 5321 4.4),
 * and Delivered-To would make its recipient take the message for one that goes in circles.
 */
const MAILBOX_FIELDS: ReadonlySet<string> = new Set([
  "return-path",
  ...RECIPIENT_FIELDS,
  "x-envelope-from",
]);
/** What mail readers write into an mbox. */
const MBOX_FIELDS: ReadonlySet<string> = new Set([
  ...["status", "x-status", "x-uid", "x-keywords", "x-imap", "x-imapbase", "content-length"],
]);

/** The envelope of a message that has none, from its header section; or why there is none. */
export function envelopeOf(
  head: Uint8Array,
  { section, hint, wishes }: {
    section: HeaderSection;
    /** The reverse-path that the source knows. */
    hint: string | null;
    wishes: EnvelopeWishes;
  },
): HeaderEnvelope | string {
  const values = (name: string): string[] =>
    section.fields.filter((field) => field.name.toLowerCase() === name)
      .map((field) => fieldText(head, field));
  const reversePath = wishes.reversePath ?? reversePathOf(values, hint);
  if (reversePath === null) return "it has no sender; name one with --from";
  const paths = wishes.recipients.length > 0
    ? wishes.recipients
    : recipientsOf(values, wishes.usesAddressFields);
  if (paths.length === 0) {
    return "it has no recipients; name them with --to, or use --to-header";
  }
  return checked(reversePath, paths);
}

/** The header section without what mailboxes added, and whatever of the body came with it. */
export function withoutMailboxFields(
  head: Uint8Array,
  { section, isMbox, dropsBcc }: { section: HeaderSection; isMbox: boolean; dropsBcc: boolean },
): Uint8Array {
  const isDropped = (name: string): boolean =>
    MAILBOX_FIELDS.has(name) || isMbox && MBOX_FIELDS.has(name) ||
    dropsBcc && /^(?:resent-)?bcc$/.test(name);
  const kept: Uint8Array[] = [];
  for (const [index, { name, start }] of section.fields.entries()) {
    const end = section.fields[index + 1]?.start ?? section.endOffset;
    if (!isDropped(name.toLowerCase())) kept.push(head.subarray(start, end));
  }
  return concatBytes([...kept, head.subarray(section.endOffset)]);
}

type Values = (name: string) => string[];

/** The reverse-path that a mailbox kept, or else the author; null when there is none. */
function reversePathOf(values: Values, hint: string | null): string | null {
  const [returnPath] = values("return-path");
  if (returnPath !== undefined) return /<([^<>]*)>/.exec(returnPath)?.[1]?.trim() ?? returnPath;
  if (hint !== null) return hint;
  const [author] = values("from").flatMap(mailboxesIn);
  return author ?? null;
}

function recipientsOf(values: Values, usesAddressFields: boolean): string[] {
  for (const name of RECIPIENT_FIELDS) {
    // The topmost is from the last delivery; those below are of hops before.
    const [latest] = values(name);
    const found = latest === undefined ? [] : mailboxesIn(latest);
    if (found.length > 0) return found;
  }
  if (!usesAddressFields) return [];
  return [...new Set(ADDRESS_FIELDS.flatMap((name) => values(name).flatMap(mailboxesIn)))];
}

/** The mailboxes of an address list, groups opened (RFC 5322 3.4). */
function mailboxesIn(value: string): string[] {
  return namedMailboxesIn(value)
    .map(({ address }) => address)
    .filter((address) => address.includes("@"));
}

function checked(reversePath: string, paths: readonly string[]): HeaderEnvelope | string {
  const sender = reversePath === "" ? null : parseMailbox(reversePath);
  if (sender?.kind === "error") return `${reversePath} is not a valid sender: ${sender.reason}`;
  const recipients: { forwardPath: string; mailbox: Mailbox }[] = [];
  for (const forwardPath of new Set(paths)) {
    const parsed = parseMailbox(forwardPath);
    if (parsed.kind === "error") return `${forwardPath} is not a mail address: ${parsed.reason}`;
    recipients.push({ forwardPath, mailbox: parsed.mailbox });
  }
  return { reversePath, recipients };
}
