import { decodeEncodedWords } from "../../mail/encoded_word.ts";
import { fieldText, findField, headerSection } from "../../mail/headers.ts";
import { mailboxesIn } from "../../mail/mailboxes.ts";
import { isUsable, mailboxesOf, type NamedAddress } from "./addresses.ts";

/** A field as it stands in the message: unfolded, its encoded-words untouched. */
export interface TextField {
  readonly name: string;
  readonly value: string;
}

/** The header section of a message, taken apart. */
export interface MessageFields {
  /** The mailboxes of From that mail can be sent to. */
  readonly authors: readonly NamedAddress[];
  /** How many From names, those without a usable address among them. */
  readonly namedAuthors: number;
  /** Who sent it for the author (RFC 5322 3.6.2); null where the message does not say. */
  readonly sender: NamedAddress | null;
  readonly to: readonly NamedAddress[];
  readonly cc: readonly NamedAddress[];
  readonly replyTo: readonly NamedAddress[];
  /** How many Reply-To names, those without a usable address among them. */
  readonly namedReplyTo: number;
  /** Decoded. */
  readonly subject: string;
  /** With its angle brackets; null where the message has none. */
  readonly messageId: string | null;
  /** Words that some program wants the message counted by. */
  readonly tags: readonly string[];
  /** All fields in their order. */
  readonly fields: readonly TextField[];
  /** The fields to carry on: those that no other key and no server along the way stands for. */
  readonly customFields: readonly TextField[];
  /** Names of fields of one value that came more than once; the first of each is carried. */
  readonly repeatedFields: readonly string[];
}

/** Fields with a key of their own, or that a mail server makes anew. */
const OWN_FIELDS =
  /^(?:from|sender|to|cc|bcc|subject|date|reply-to|message-id|mime-version|received|return-path|delivered-to|x-original-to|dkim-signature|domainkey-signature|authentication-results|received-spf|(?:arc|content|resent)-.*)$/i;

/** Those among them of which a message has one (RFC 5322 3.6), which are not read together. */
const SINGLE_FIELDS = new Set([
  ...["subject", "message-id", "content-type", "content-transfer-encoding"],
]);

/** Fields in which programs give tags, each in the manner of one provider. */
const TAG_FIELDS = new Set(["x-tag", "x-mailgun-tag", "x-pm-tag", "x-mc-tags", "x-mailin-tag"]);

/** Takes a header section apart. */
export function readFields(header: Uint8Array): MessageFields {
  const section = headerSection(header, { limitBytes: header.length });
  const fields = section.fields
    .map((field) => ({ name: field.name, value: fieldText(header, field) }));
  const mailboxes = (name: string, read = mailboxesOf): NamedAddress[] =>
    fields.filter((field) => field.name.toLowerCase() === name)
      .flatMap(({ value }) => read(value));
  const messageId = findField(section, "message-id");
  const subject = findField(section, "subject");
  const named = mailboxes("from", mailboxesIn);
  const namedReplyTo = mailboxes("reply-to", mailboxesIn);
  return {
    authors: named.filter(isUsable),
    namedAuthors: named.length,
    sender: mailboxes("sender").find(isUsable) ?? null,
    to: mailboxes("to"),
    cc: mailboxes("cc"),
    replyTo: namedReplyTo.filter(isUsable),
    namedReplyTo: namedReplyTo.length,
    subject: subject === null ? "" : decodeEncodedWords(fieldText(header, subject)).trim(),
    messageId: messageId === null ? null : fieldText(header, messageId),
    tags: tagsOf(fields),
    fields,
    ...customFieldsOf(fields),
  };
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
  const single = new Set<string>();
  for (const field of fields) {
    const key = field.name.toLowerCase();
    if (single.has(key)) repeatedFields.add(field.name);
    if (SINGLE_FIELDS.has(key)) single.add(key);
    if (OWN_FIELDS.test(key) || TAG_FIELDS.has(key)) continue;
    if (customFields.has(key)) repeatedFields.add(field.name);
    else customFields.set(key, field);
  }
  return { customFields: [...customFields.values()], repeatedFields: [...repeatedFields] };
}
