import PostalMime, { type Attachment as PostalAttachment, type Email } from "postal-mime";
import { decodeText, encodeText } from "../../base/bytes.ts";
import { fieldText, findField, headerSection } from "../../mail/headers.ts";
import { mailboxesOf, type NamedAddress } from "./addresses.ts";
import { takeOutLargeParts } from "./large_parts.ts";
import { type MimePart, mimeTree } from "./mime_tree.ts";

/** A file or an inline image of a message. */
export interface Attachment {
  /** Never empty: a part without a name gets one. */
  readonly filename: string;
  /** Media type in lower case without parameters. */
  readonly type: string;
  /** The Content-ID without brackets, for parts that the HTML shows; null for files. */
  readonly contentId: string | null;
  readonly content: Uint8Array;
}

/** A field as it stands in the message: unfolded, its encoded-words untouched. */
export interface TextField {
  readonly name: string;
  readonly value: string;
}

/** A message taken apart. */
export interface ParsedMessage {
  /** The structure as it stands in the message. */
  readonly root: MimePart;
  readonly authors: readonly NamedAddress[];
  readonly to: readonly NamedAddress[];
  readonly cc: readonly NamedAddress[];
  readonly replyTo: readonly NamedAddress[];
  /** Decoded. */
  readonly subject: string;
  /** Null where the message has none. */
  readonly text: string | null;
  readonly html: string | null;
  readonly attachments: readonly Attachment[];
  /** With its angle brackets; null where the message has none. */
  readonly messageId: string | null;
  /** Words that some program wants the message counted by. */
  readonly tags: readonly string[];
  /** All fields in their order. */
  readonly fields: readonly TextField[];
  /** The fields to carry on: those that no other key and no server along the way stands for. */
  readonly customFields: readonly TextField[];
  /** Names of custom fields that came more than once; the first of each is carried. */
  readonly repeatedFields: readonly string[];
  /** Whether octets of the text could not be decoded. */
  readonly undecoded: boolean;
}

/** Fields with a key of their own, or that a mail server makes anew. */
const OWN_FIELDS =
  /^(?:from|sender|to|cc|bcc|subject|date|reply-to|message-id|mime-version|received|return-path|delivered-to|x-original-to|dkim-signature|domainkey-signature|authentication-results|received-spf|(?:arc|content|resent)-.*)$/i;

/** Fields in which programs give tags, each in the manner of one provider. */
const TAG_FIELDS = new Set(["x-tag", "x-mailgun-tag", "x-pm-tag", "x-mc-tags", "x-mailin-tag"]);

const LONGEST_MARK_BYTES = 64;

const EXTENSIONS: Readonly<Record<string, string>> = {
  "text/plain": "txt",
  "text/calendar": "ics",
  "text/csv": "csv",
  "image/jpeg": "jpg",
  "image/svg+xml": "svg",
  "message/rfc822": "eml",
  "application/zip": "zip",
  "application/json": "json",
};

/** Takes a message apart; null when it is nested or headed beyond reason. */
export async function parseMessage(raw: Uint8Array): Promise<ParsedMessage | null> {
  const root = mimeTree(raw);
  const email = await parseLightly(raw, root) ?? await parse(raw);
  if (email === null) return null;
  const section = headerSection(raw);
  const fields = section.fields
    .map((field) => ({ name: field.name, value: fieldText(raw, field) }));
  const mailboxes = (name: string): NamedAddress[] =>
    fields.filter((field) => field.name.toLowerCase() === name)
      .flatMap(({ value }) => mailboxesOf(value));
  const messageId = findField(section, "message-id");
  return {
    root,
    authors: mailboxes("from"),
    to: mailboxes("to"),
    cc: mailboxes("cc"),
    replyTo: mailboxes("reply-to"),
    subject: email.subject ?? "",
    text: email.text ?? null,
    html: email.html ?? null,
    attachments: email.attachments.map(attachmentOf),
    messageId: messageId === null ? null : fieldText(raw, messageId),
    tags: tagsOf(fields),
    fields,
    ...customFieldsOf(fields),
    undecoded: `${email.text ?? ""}${email.html ?? ""}`.includes("\ufffd"),
  };
}

function parse(octets: Uint8Array): Promise<Email | null> {
  return PostalMime.parse(octets, { forceRfc822Attachments: true }).catch(() => null);
}

/**
 * Parses a message with its large files taken out, and puts them back. Null when the parser saw
 * other parts than we did, which malformed mail can bring about.
 */
async function parseLightly(raw: Uint8Array, root: MimePart): Promise<Email | null> {
  const { octets, contents } = takeOutLargeParts(raw, { root, nonce: crypto.randomUUID() });
  const email = await parse(octets);
  if (email === null || contents.size === 0) return email;
  const left = new Map(contents);
  const attachments = email.attachments.map((attachment) => {
    const mark = decodeText(contentOf(attachment).subarray(0, LONGEST_MARK_BYTES));
    const content = left.get(mark);
    return content !== undefined && left.delete(mark) ? { ...attachment, content } : attachment;
  });
  return left.size === 0 ? { ...email, attachments } : null;
}

function attachmentOf(attachment: PostalAttachment, index: number): Attachment {
  const { mimeType, filename, related, disposition, contentId } = attachment;
  const isShown = related === true || disposition === "inline";
  return {
    filename: filename === null || filename === "" ? nameFor(mimeType, index) : filename,
    type: mimeType,
    contentId: isShown && contentId !== undefined ? contentId.replace(/^<|>$/g, "") : null,
    content: contentOf(attachment),
  };
}

function contentOf({ content }: PostalAttachment): Uint8Array {
  if (typeof content === "string") return encodeText(content);
  return content instanceof Uint8Array ? content : new Uint8Array(content);
}

/** Some providers drop a file whose name does not fit its type. */
function nameFor(type: string, index: number): string {
  const subtype = /\/([a-z0-9]{2,5})$/.exec(type)?.[1];
  return `part-${index + 1}.${EXTENSIONS[type] ?? subtype ?? "bin"}`;
}

function tagsOf(fields: readonly TextField[]): string[] {
  const tags = fields.filter(({ name }) => TAG_FIELDS.has(name.toLowerCase()))
    .flatMap(({ value }) => value.split(",")).map((tag) => tag.trim());
  return [...new Set(tags.filter((tag) => tag !== ""))];
}

function customFieldsOf(
  fields: readonly TextField[],
): { customFields: TextField[]; repeatedFields: string[] } {
  const customFields = new Map<string, TextField>();
  const repeatedFields = new Set<string>();
  for (const field of fields) {
    const key = field.name.toLowerCase();
    if (OWN_FIELDS.test(key) || TAG_FIELDS.has(key)) continue;
    if (customFields.has(key)) repeatedFields.add(field.name);
    else customFields.set(key, field);
  }
  return { customFields: [...customFields.values()], repeatedFields: [...repeatedFields] };
}
