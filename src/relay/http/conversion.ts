import { decodeText, encodeText } from "../../base/bytes.ts";
import { asciiHeader } from "../../mail/ascii_header.ts";
import { unfold } from "../../mail/headers.ts";
import type { Reply } from "../../mail/reply.ts";
import { isAsciiText, withoutControls } from "../../mail/safe_text.ts";
import type { DeliveryJob, Loss, Outcome } from "../../delivery/transport.ts";
import { inAscii, isPublic, isUsable, mailboxKey, type NamedAddress } from "./addresses.ts";
import { type Addressing, planAddressing } from "./addressing.ts";
import type { Attachment } from "./attachments.ts";
import { base64Body } from "./body.ts";
import { apiAddress, carryProblem } from "./carry.ts";
import { JsonStream } from "./json.ts";
import { conversionLoss, parameterLosses } from "./loss.ts";
import type { TextField } from "./message_fields.ts";
import { messageSource } from "./message_source.ts";
import { type ParsedMessage, parseMessage } from "./mime.ts";
import { outcomeOf, replyOf, type Verdict } from "./outcome.ts";
import type { JobRecipient, Shipment } from "./provider.ts";

/** What an API that wants fields instead of a message can take. */
export interface ConversionLimits {
  /** The name of the API, for people. */
  readonly api: string;
  /** The largest message in octets; what it becomes in JSON is about as large. */
  readonly maxBytes: number;
  /** Names, in lower case, of fields that the API refuses or sets itself. */
  readonly refusedFields: RegExp;
  /** Whether a Message-ID can be given. */
  readonly keepsMessageId: boolean;
  /** Whether attachments can have a Content-ID, so that HTML can show them. */
  readonly showsInline: boolean;
  /** Whether the type of an attachment can have parameters, such as a charset. */
  readonly keepsTypeParameters: boolean;
  /** How many mailboxes replies can go to. */
  readonly maxReplyTo: number;
  /** How many words the message can be counted by. */
  readonly maxTags: number;
}

/** A message ready to be put into the keys of an API. */
export interface ConvertedMessage {
  readonly kind: "converted";
  readonly queueId: string;
  readonly author: NamedAddress;
  readonly replyTo: readonly NamedAddress[];
  /** Never empty. */
  readonly subject: string;
  /** At least one of the two is not null; neither is empty. */
  readonly text: string | null;
  readonly html: string | null;
  readonly attachments: readonly Attachment[];
  /** The fields to carry on, by name. */
  readonly headers: Readonly<Record<string, string>>;
  /** The message's own, or one that stays the same at every attempt. */
  readonly messageId: string;
  readonly tags: readonly string[];
  readonly addressings: readonly Addressing[];
  readonly losses: readonly Loss[];
}

/**
 * Statuses that blame the request of a conversion. What the API dislikes may be what the
 * conversion made of the message, so another transport may try before it is permanent.
 */
export const CONVERSION_STATUSES: Readonly<Record<number, Verdict>> = {
  400: "unsuitable",
  422: "unsuitable",
};

const NO_SUBJECT = "(no subject)";

/** Takes the message of a job apart for an API, with what that loses. */
export async function convertJob(
  job: DeliveryJob,
  limits: ConversionLimits,
): Promise<ConvertedMessage | { readonly kind: "unsuitable"; readonly reply: Reply }> {
  const problem = carryProblem(job, limits);
  if (problem !== null) return { kind: "unsuitable", reply: problem };
  const parsed = await parseMessage(messageSource(job.body));
  const author = parsed === null ? null : authorOf(parsed, job);
  if (parsed === null || author === null) {
    const what = parsed === null
      ? "has too many parts, levels or header octets to convert"
      : "has no author";
    return { kind: "unsuitable", reply: replyOf("5.6.0", `The message ${what}`) };
  }
  const { addressings, losses } = planAddressing(parsed, job.recipients);
  const text = parsed.text === "" ? null : parsed.text;
  const html = parsed.html === "" ? null : parsed.html;
  return {
    kind: "converted",
    queueId: job.message.id,
    author: author.mailbox,
    replyTo: replyToOf(parsed),
    subject: parsed.subject === "" ? NO_SUBJECT : withoutControls(parsed.subject),
    text: text === null && html === null ? " " : text,
    html,
    attachments: parsed.attachments.filter(hasContent),
    headers: headersOf(parsed, limits),
    messageId: parsed.messageId ?? `<${job.message.id}@${domainOf(author.mailbox)}>`,
    tags: parsed.tags,
    addressings,
    losses: [...losses, ...conversionLoss(parsed, author), ...limitLosses(parsed, limits)],
  };
}

/** The content of an attachment in base64, encoded as it is sent. */
export function base64Content({ content }: Attachment): JsonStream {
  return new JsonStream(base64Body(content));
}

/** The type of an attachment with what a reader needs besides, for APIs that keep that. */
export function typeWithParameters({ type, charset, method }: Attachment): string {
  const parameters = [
    charset === null || !/^[\w.:+-]+$/.test(charset) ? "" : `; charset=${charset}`,
    method === null || !/^[A-Z-]+$/.test(method) ? "" : `; method=${method}`,
  ];
  return `${type}${parameters.join("")}`;
}

/** One request for each addressing of a message. */
export function shipmentsOf(
  { addressings }: ConvertedMessage,
  request: (addressing: Addressing) => Shipment["request"],
): Shipment[] {
  return addressings.map((addressing) => ({
    request: request(addressing),
    recipients: addressing.recipients,
    addressings: [addressing],
  }));
}

/**
 * The outcomes of a request that was refused because of some recipients: permanent for those,
 * while the others, whom nobody sent to either, are tried without them.
 */
export function blame(
  recipients: readonly JobRecipient[],
  { addresses, text }: { addresses: readonly string[]; text: string },
): Outcome[] {
  const keys = new Set(addresses.map(mailboxKey));
  return recipients.map((recipient) =>
    keys.has(mailboxKey(apiAddress(recipient)))
      ? outcomeOf({ verdict: "rejected", enhanced: "5.1.3" }, { text })
      : outcomeOf({ verdict: "limited", enhanced: "4.3.0" }, { text })
  );
}

/** A mailbox as text for APIs that parse it: `"Doe, Ann" <ann@example.net>`. */
export function mailboxText({ name, address }: NamedAddress): string {
  const shown = withoutControls(name);
  return shown === "" ? address : `"${shown.replace(/["\\]/g, "\\$&")}" <${address}>`;
}

/** A mailbox for APIs with a key for each half; the name is left out where there is none. */
export function mailboxTable(
  { name, address }: NamedAddress,
): { email: string; name: string | undefined } {
  const shown = withoutControls(name);
  return { email: address, name: shown === "" ? undefined : shown };
}

/**
 * The first author that an API takes. Where the message has none, who sent it stands in; where that
 * is no address of the Internet either, the API decides. Null where there is nobody at all.
 */
function authorOf(
  { authors }: ParsedMessage,
  { message: { reversePath } }: DeliveryJob,
): { readonly mailbox: NamedAddress; readonly isStandIn: boolean } | null {
  const written = authors.map(inAscii);
  const sender = inAscii({ name: "", address: reversePath });
  const all = [...written, sender];
  const mailbox = all.find(isPublic) ?? all.find(isUsable);
  return mailbox === undefined ? null : { mailbox, isStandIn: mailbox === sender };
}

/** Where replies go, as far as an API takes it. */
function replyToOf({ replyTo }: ParsedMessage): NamedAddress[] {
  return replyTo.map(inAscii).filter(({ address }) => isAsciiText(address));
}

/** No API here takes a file without any octets. */
function hasContent({ content }: Attachment): boolean {
  return content.lengthBytes > 0;
}

function headersOf(
  { customFields }: ParsedMessage,
  { refusedFields }: ConversionLimits,
): Record<string, string> {
  const carried = customFields.filter(({ name }) => !refusedFields.test(name.toLowerCase()));
  return Object.fromEntries(carried.map((field) => [field.name, fieldValue(field)]));
}

/**
 * The value of a field on one line, in ASCII where it has a form for that: SendGrid and MailChannels
 * ask for that, and the others give it on as it is.
 */
function fieldValue({ name, value }: TextField): string {
  const line = withoutControls(value);
  if (isAsciiText(line)) return line;
  const written = asciiHeader(encodeText(`${name}: ${line}\r\n`));
  return written === null ? line : unfold(decodeText(written)).slice(name.length + 1).trim();
}

/** What one API in particular cannot carry. */
function limitLosses(parsed: ParsedMessage, limits: ConversionLimits): Loss[] {
  const losses: Loss[] = parsed.customFields
    .filter(({ name }) => limits.refusedFields.test(name.toLowerCase()))
    .map(({ name }) => ({ kind: "fields", what: name }));
  if (!limits.keepsMessageId && parsed.messageId !== null) {
    losses.push({ kind: "fields", what: "Message-ID" });
  }
  if (!limits.showsInline && parsed.attachments.some(({ contentId }) => contentId !== null)) {
    losses.push({ kind: "structure", what: "inline images" });
  }
  const repliesTo = Math.min(replyToOf(parsed).length, limits.maxReplyTo);
  if (repliesTo < parsed.namedReplyTo) losses.push({ kind: "fields", what: "Reply-To" });
  if (parsed.tags.length > limits.maxTags) losses.push({ kind: "fields", what: "tags" });
  const hasSender = parsed.fields.some(({ name }) => name.toLowerCase() === "sender");
  if (hasSender) losses.push({ kind: "fields", what: "Sender" });
  for (const { filename } of parsed.attachments.filter((file) => !hasContent(file))) {
    losses.push({ kind: "structure", what: `empty file ${filename}` });
  }
  return limits.keepsTypeParameters ? losses : [...losses, ...parameterLosses(parsed.attachments)];
}

function domainOf({ address }: NamedAddress): string {
  return address.slice(address.lastIndexOf("@") + 1);
}
