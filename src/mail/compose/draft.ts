import { isAsciiText } from "../safe_text.ts";

/** A mailbox with a name for people (RFC 5322 3.4). */
export interface DraftMailbox {
  /** Empty for none. */
  readonly name: string;
  /** The mailbox, which `parseMailbox` must accept. */
  readonly address: string;
}

/** A file that goes with a message. */
export interface DraftAttachment {
  readonly filename: string;
  /** The media type, such as `application/pdf`. */
  readonly type: string;
  readonly content: Uint8Array;
  /** The name by which HTML shows it (RFC 2392), without angle brackets; null for a mere file. */
  readonly contentId: string | null;
}

/** The text once more in another form, as an invitation or AMP. */
export interface DraftAlternative {
  /** `text/calendar; method=REQUEST` */
  readonly type: string;
  readonly text: string;
}

/** What somebody wants to write, before it is a message. */
export interface Draft {
  /** At least one. */
  readonly from: readonly DraftMailbox[];
  readonly sender: DraftMailbox | null;
  readonly replyTo: readonly DraftMailbox[];
  readonly to: readonly DraftMailbox[];
  readonly cc: readonly DraftMailbox[];
  readonly subject: string;
  /** Plain text; null for none. */
  readonly text: string | null;
  readonly html: string | null;
  /** Other forms of the text, the best last. */
  readonly alternatives?: readonly DraftAlternative[];
  readonly attachments: readonly DraftAttachment[];
  /** Other fields. Those that the draft makes by itself are refused. */
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/**
 * Whether the message of a draft has to go where its header section may hold UTF-8 (RFC 6531
 * section 3.1): only local parts need it, everything else is encoded.
 */
export function needsSmtpUtf8({ from, sender, replyTo, to, cc }: Draft): boolean {
  const mailboxes = [...from, ...sender === null ? [] : [sender], ...replyTo, ...to, ...cc];
  return mailboxes.some(({ address }) => !isAsciiText(address.slice(0, address.lastIndexOf("@"))));
}
